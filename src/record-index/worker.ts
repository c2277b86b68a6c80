/** A thread that does what `ThreadHelper` asks, one task after the other. */
import { parentPort } from 'node:worker_threads'
import { assert, errorText } from '../errors.ts'
import { systemDetails } from '../system-error.ts'
import { handedBack, type Task, type TaskAnswer, Work } from './helpers.ts'

assert(parentPort !== null, 'worker.ts runs in a worker thread')
const port = parentPort
const work = new Work()

port.on('message', ({ name, asked }: Task) => {
  try {
    const answer = work.do(name, asked)
    port.postMessage({ answer } satisfies TaskAnswer, handedBack(name, answer))
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined
    port.postMessage({ message: errorText(error), stack, system: systemDetails(error) } satisfies TaskAnswer)
  }
})
