/** Athena's protocol, behind which a stand-in answers. */
import { Athena } from '../../src/engines/athena.ts'
import { type AthenaStub, canaries, startAthena } from '../engines/athena-stub.ts'
import type { StandIn } from './stand-in.ts'

/** @param work gets the stand-in's place, and a client of its own at each call. */
export async function withAthena(work: (stub: AthenaStub, athena: () => Athena) => Promise<void>): Promise<void> {
  const stub = await startAthena()
  const environment = { ...process.env }
  Object.assign(process.env, canaries)
  stub.looks = 0
  const place = { catalog: 'AwsDataCatalog', database: 'logs', table: 'flows' }
  const options = { workgroup: null, outputLocation: null, aws: { endpoint: stub.address } }
  try {
    await work(stub, () => new Athena(place, options, { patience: 0.01 }))
  } finally {
    for (const name of Object.keys(canaries)) delete process.env[name]
    Object.assign(process.env, environment)
    await stub.close()
  }
}

/** What Athena is asked is asked of that table. */
export function answerFrom(stub: AthenaStub, table: StandIn): void {
  stub.table = table.metadata()
  stub.outcome = async ({ text, params }) => ({ rows: await table.rowsFor(text, params), bytes: 1000 })
}
