/** The cluster that `npm run test:lake` started, or why there is none. */

interface Lake {
  /** Addresses of the coordinator and of moto's server; undefined for what is missing. */
  trino?: string
  moto?: string
  /** The folder that is `local:///` for the catalog `hive`. */
  lake: string
  /** Where `/kill/worker-1` and `/start/worker-1` are asked for. */
  control: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  missing: { trino?: string; moto?: string }
}

const told = process.env['TIDEMARK_LAKE']
const started: Lake | null = told === undefined ? null : (JSON.parse(told) as Lake)

/** The options of a test that asks Trino: skipped with the reason where there is none. */
export const withTrino = optionsOf('trino')
/** The same for tests that need S3 or another of moto's services. */
export const withMoto = optionsOf('moto')

/** @throws Error in a test that did not ask for the cluster */
export function lake(): Lake {
  if (started === null) throw new Error('no cluster was started: the test lacks `withTrino` or `withMoto`')
  return started
}

function optionsOf(name: 'trino' | 'moto'): { skip: string | false; timeout: number } {
  const reason = started === null ? 'npm run test:lake starts the cluster' : (started.missing[name] ?? false)
  return { skip: reason, timeout: 300_000 }
}

/** Takes a worker away at once, or brings it back; returns when that is done. */
export async function control(verb: 'kill' | 'start', node: string): Promise<void> {
  const response = await fetch(`${lake().control}/${verb}/${node}`, { method: 'POST' })
  if (!response.ok) throw new Error(await response.text())
}
