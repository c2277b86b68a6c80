/** Which host each network interface of the evidence is, and in which subnet: as far as its records say it by themselves. */
import { column, own, select, table } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import { noHost } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import type { Place } from './protected.ts'

/** Where a host is attached; null: the records do not tell. */
export type Interfaces = ReadonlyMap<number, Place>

/** Names of interfaces (Amazon EC2, "Elastic network interfaces"); other sensors are none. */
const isInterface = /^eni-[0-9a-f]+$/

/**
 * An interface is that of a host if the host is an end of every record of it, and no other internal one is. One with several addresses is of none.
 */
export async function interfacesIn(
  c: Case,
  index: RecordIndex,
  isInternal: (host: number) => boolean,
): Promise<Interfaces> {
  const { vantages } = index.dictionaries
  if (!vantages.some(({ sensor }) => sensor !== null && isInterface.test(sensor))) return new Map()
  const ends = await commonEnds(index, vantages.length)
  const homes = await homesOf(c)
  const found = new Map<number, Place>()
  for (const [vantage, { sensor }] of vantages.entries()) {
    if (sensor === null || !isInterface.test(sensor)) continue
    const internal = [...new Set([ends[2 * vantage]!, ends[2 * vantage + 1]!])].filter(
      host => host !== noHost && isInternal(host),
    )
    if (internal.length !== 1) continue
    const [host] = internal as [number]
    const { subnet, vpc } = homes.get(sensor) ?? { subnet: null, vpc: null }
    // A host with several interfaces is at none of them more than at the others.
    found.set(host, found.has(host) ? { interface: null, subnet: null, vpc } : { interface: sensor, subnet, vpc })
  }
  return found
}

/** Of each vantage the two hosts that are ends of all its records; `noHost` where there is none. */
async function commonEnds(index: RecordIndex, vantages: number): Promise<Uint32Array> {
  const ends = new Uint32Array(2 * vantages).fill(noHost)
  const isSeen = new Uint8Array(vantages)
  for await (const block of index.blocks(['source', 'destination', 'sourceSeen', 'destinationSeen', 'vantage'])) {
    const { rows, vantage } = block
    const source = block.sourceSeen ?? block.source
    const destination = block.destinationSeen ?? block.destination
    for (let row = 0; row < rows; row++) {
      const [at, from, to] = [2 * vantage[row]!, source[row]!, destination[row]!]
      if (isSeen[vantage[row]!] === 0) {
        isSeen[vantage[row]!] = 1
        ends[at] = from
        ends[at + 1] = to
        continue
      }
      if (ends[at] !== from && ends[at] !== to) ends[at] = noHost
      if (ends[at + 1] !== from && ends[at + 1] !== to) ends[at + 1] = noHost
    }
  }
  return ends
}

/** Subnet and VPC by interface, where all its records name the same ones. */
async function homesOf(c: Case): Promise<Map<string, Pick<Place, 'subnet' | 'vpc'>>> {
  const homes = new Map<string, Pick<Place, 'subnet' | 'vpc'>>()
  const homeNames = ['subnet_id', 'vpc_id'].filter(name => c.columns.has(name))
  if (c.source === 'packets' || homeNames.length === 0) return homes
  const names = ['interface_id', ...homeNames]
  const query = select(names.map(own), { from: table('flows'), groupBy: names.map(name => column(name)) })
  const { text, values } = duckdb.print(query)
  for (const row of await c.db.rows(text, values)) {
    const sensor = textOf(row['interface_id'])
    if (sensor === null) continue
    const [subnet, vpc] = [textOf(row['subnet_id']), textOf(row['vpc_id'])]
    const known = homes.get(sensor)
    homes.set(
      sensor,
      known === undefined ? { subnet, vpc } : { subnet: same(known.subnet, subnet), vpc: same(known.vpc, vpc) },
    )
  }
  return homes
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Records of an older format do not name it: that is no other one. */
function same(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return one === other ? one : null
}
