/** Does one job of a watch, which stands as a line of JSON on standard input, and tells what became of it. */
import { exit, stdin, stdout } from 'node:process'
import { errorText, UserError } from '../errors.ts'
import { failureLine, systemFailure } from '../system-error.ts'
import { Asking } from './asking.ts'
import type { Given, Job, Told, Wanted } from './jobs.ts'
import { onLine } from './line-reading.ts'
import { doJob } from './work.ts'

const stopping = new AbortController()
const stop = (): void => stopping.abort(new Error('stopped'))
process.once('SIGTERM', stop)
// Those of the terminal go to all processes of the group: the watch itself decides when a job ends.
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)

const asking = new Asking((wanted: Wanted) => void stdout.write(`${JSON.stringify(wanted)}\n`))
// Nobody waits for it any more.
stdin.once('end', stop)
stdin.once('close', stop)
let isBegun = false
onLine(stdin, line => {
  if (isBegun) {
    asking.answered((JSON.parse(line) as Given).fetched)
    return
  }
  isBegun = true
  void told(JSON.parse(line) as Job).then(answer => stdout.write(`${JSON.stringify(answer)}\n`, () => exit(0)))
})

async function told(job: Job): Promise<Told<Job['kind']>> {
  try {
    return { done: await doJob(job, asking, stopping.signal) } as Told<Job['kind']>
  } catch (error) {
    if (error instanceof UserError)
      return { failed: { message: error.message, hint: error.hint ?? null, isBug: false } }
    const failure = systemFailure(error)
    if (failure !== null) return { failed: { message: failureLine(failure), hint: failure.hint, isBug: false } }
    const stack = error instanceof Error ? (error.stack ?? errorText(error)) : errorText(error)
    return { failed: { message: stack, hint: null, isBug: !stopping.signal.aborted } }
  }
}
