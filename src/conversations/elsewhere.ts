/** What the rest of a case says of endpoints whose role a question asks: their records that are not the subject's. */
import type { Prefix } from '../net/prefix.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { noHost, type RecordBlock, type RecordDictionaries } from '../record-index/block.ts'
import { trueEnd } from '../record-index/projection.ts'
import { readBlock } from '../record-index/question.ts'
import type { Case } from '../store/case.ts'
import { giveTable, numbers } from '../store/given-table.ts'
import { type Chained, chain } from './conversations.ts'
import { countOnce } from './count-once.ts'
import type { EndpointTable } from './endpoints.ts'
import { fate } from './fates.ts'
import { hostsIn, numbersIn } from './hosts.ts'
import { MeteredConnections } from './metered.ts'
import { numberPairs } from './pairs.ts'
import { requireEndpoints } from './pulled-part.ts'

/**
 * The connections of those endpoints with others than the subject.
 *
 * @param hosts the dictionary of the endpoints' hosts.
 * @param own whose records are known already: `condition` is true for them.
 */
export async function recordsElsewhere(
  c: Case,
  asked: EndpointTable,
  hosts: RecordDictionaries['hosts'],
  { condition, subject, limit }: { condition: Sql; subject: readonly Prefix[]; limit: (rows: number) => void },
): Promise<{ chained: Chained; hostOf: Uint32Array }> {
  requireEndpoints(c, asked, hosts)
  await giveEndpoints(c, asked, hosts)
  const { block, dictionaries } = await readBlock(c, conditionFor(c, condition), { limit, isRare: false })
  const { vantages } = dictionaries
  const pairs = numberPairs(block)
  const fates = countOnce(block, pairs, { evidence: c.source, vantages, isSubject: null })
  const isSubject = hostsIn(dictionaries.hosts, subject)
  for (let row = 0; row < block.rows; row++) if (isOf(block, row, isSubject)) fates[row] = fate.elsewhere
  const metered = c.source === 'packets' ? await MeteredConnections.read(c, dictionaries.hosts, rawSql('true')) : null
  const chained = chain(c.source, block, pairs, dictionaries, fates, metered)
  return { chained, hostOf: numbersIn(hosts, dictionaries.hosts) }
}

function isOf(block: RecordBlock, row: number, isSubject: (host: number) => boolean): boolean {
  const { source, destination, sourceSeen, destinationSeen } = block
  return (
    isSubject(source[row]!) ||
    isSubject(destination[row]!) ||
    isSubject(sourceSeen?.[row] ?? noHost) ||
    isSubject(destinationSeen?.[row] ?? noHost)
  )
}

/** Makes the tables of what is asked, as digests: what else has one of them is read for nothing. */
async function giveEndpoints(c: Case, asked: EndpointTable, hosts: RecordDictionaries['hosts']): Promise<void> {
  const { count } = asked
  const hi = new BigUint64Array(count)
  const lo = new BigUint64Array(count)
  const ports = new Uint16Array(count)
  const protocols = new Uint8Array(count)
  for (let endpoint = 0; endpoint < count; endpoint++) {
    const { host, port, protocol } = asked.at(endpoint)
    hi[endpoint] = hosts.hi[host]!
    lo[endpoint] = hosts.lo[host]!
    ports[endpoint] = port
    protocols[endpoint] = protocol
  }
  const ends = [numbers('hi', hi), numbers('lo', lo), numbers('port', ports), numbers('protocol', protocols)]
  await giveTable(c.db, 'asked', ends, count)
  await c.db.run(
    'CREATE OR REPLACE TEMP TABLE asked_end AS SELECT DISTINCT hash(hi, lo, port, protocol) AS h FROM asked',
  )
  await c.db.run('CREATE OR REPLACE TEMP TABLE asked_host AS SELECT DISTINCT hash(hi, lo) AS h FROM asked')
  await c.db.run('DROP TABLE asked')
}

/** Records of the endpoints, and those that name the hops of their hosts: these tell which legs count, also where they are the subject's. */
function conditionFor(c: Pick<Case, 'columns'>, ofSubject: Sql): Sql {
  const isNamed = (side: 'src' | 'dst'): boolean => c.columns.has(`pkt_${side}addr`)
  const half = (side: 'src' | 'dst', part: 'hi' | 'lo'): string => trueEnd(c.columns, side, part)
  const isAsked = (side: 'src' | 'dst'): string =>
    `hash(${half(side, 'hi')}, ${half(side, 'lo')}, ${side}port, protocol) IN (SELECT h FROM asked_end)`
  const own = sql`(protocol IN (6, 17, 132) AND (${rawSql(isAsked('src'))} OR ${rawSql(isAsked('dst'))}) AND ${ofSubject} IS NOT TRUE)`
  const naming = (['src', 'dst'] as const).filter(isNamed).map(side => {
    const [seen, end] = [`${side}addr`, `pkt_${side}addr`]
    const differs = `(${seen}.hi <> ${end}.hi OR ${seen}.lo <> ${end}.lo)`
    const of = [seen, end].map(name => `hash(${name}.hi, ${name}.lo) IN (SELECT h FROM asked_host)`)
    return `(${differs} AND (${of.join(' OR ')}))`
  })
  return naming.length === 0 ? own : sql`(${own} OR ${rawSql(naming.join(' OR '))})`
}
