/** A child for tests: does what children should not. */
import { argv, env, exit, pid, stdin, stdout } from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { UserError } from '../../src/errors.ts'
import { type Answerer, answerQuestions } from '../../src/server/answering.ts'

const [how = ''] = argv.slice(2)
if (how === 'dies') exit(3)

const kinds: Record<string, Answerer<string>> = {
  echo: async (held, question) => ({ question, pid, held }),
  environment: async () => ({ ...env }),
  sleep: async (_, milliseconds: number, { signal }) => wait(milliseconds, pid, { signal }),
  /** Ends only when it is killed, and lets nothing else be answered. */
  spin: async () => {
    for (let i = 0; i >= 0; i = (i + 1) % 1000);
  },
  /** Does not hear that nobody waits. */
  deaf: async () => new Promise(() => {}),
  slowToStop: async (_, milliseconds: number, { signal }) => {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    await wait(milliseconds)
    return 'what was done by then'
  },
  die: async () => exit(7),
  fill: async () => {
    for (const held: Uint8Array[] = []; ; ) held.push(new Uint8Array(1 << 26).fill(1))
  },
  babble: async () => stdout.write('this is no message\n'),
  endless: async () => {
    for (;;) if (!stdout.write(Buffer.alloc(1 << 20, 'x'))) await new Promise(resolve => stdout.once('drain', resolve))
  },
  bytes: async (_, count: number) => 'x'.repeat(count),
  bigint: async () => ({ small: 5n, large: 2n ** 60n, among: [1, 'x'] }),
  steps: async (_, count: number, { progress }) => {
    for (let done = 1; done <= count; done++) progress({ doing: 'steps', done, of: count })
    return count
  },
  refuse: async () => {
    throw new UserError('that is wrong: \u202e', { status: 2, hint: 'do it right' })
  },
  bug: async () => {
    throw new TypeError('a value that is not there')
  },
}

answerQuestions({ stdin, stdout, exit }, async () => how, kinds)
