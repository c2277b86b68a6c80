/** What is asked of the time index, which may have to be built first. */
import type { JobState } from '../contract/events.ts'
import type { Building } from '../contract/view.ts'
import type { Services } from '../services.ts'

/** Seconds that the index of a case may take to be made. */
const buildingMost_s = 4 * 3600
const nothing = 'null'
const building = new WeakMap<Services, string>()

/** What the view process says, or that the index is being built: one job does that for all who ask. */
export async function fromIndex(
  services: Services,
  kind: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const answer = await services.view.pass(kind, body, { signal })
  return answer.bytes.length === nothing.length && answer.value() === null
    ? ({ building: builder(services) } satisfies Building)
    : answer
}

function builder(services: Services): JobState {
  const known = services.jobs.state(building.get(services) ?? '')
  if (known?.state === 'running' || known?.state === 'waiting') return known
  const job = services.jobs.start({ kind: 'timeline', title: 'Time index' }, (signal, onProgress) =>
    services.view.ask('open timeline', {}, { signal, onProgress, seconds: buildingMost_s }),
  )
  building.set(services, job.id)
  return job
}
