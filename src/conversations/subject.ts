/**
 * The narrow way to conversations: those of one question's subject, from its own records. The figures are those of the whole case
 * (`whole.ts`), but for the legs of a hop that is the subject.
 */
import type { Prefix } from '../net/prefix.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { RecordBlock, RecordDictionaries } from '../record-index/block.ts'
import { readBlock } from '../record-index/question.ts'
import type { Case } from '../store/case.ts'
import { addressColumns } from '../store/views.ts'
import { askedEndpoints, type Chained, chain, judgeRest, learnFrom } from './conversations.ts'
import { countOnce } from './count-once.ts'
import { recordsElsewhere } from './elsewhere.ts'
import { hostsIn, internalHosts } from './hosts.ts'
import { recordLimit } from './memory.ts'
import { MeteredConnections } from './metered.ts'
import { numberPairs, type PairNumbers } from './pairs.ts'

/** A subject's records, and which of them count. */
export interface SubjectRecords {
  block: RecordBlock
  pairs: PairNumbers
  dictionaries: RecordDictionaries
  /** `fate` of each record. */
  fates: Uint8Array
  isSubject: (host: number) => boolean
  /** To be called with the number of records that are held besides. @throws UserError where all are too many. */
  limit: (others: number) => void
}

/**
 * The records one of whose addresses is the subject's.
 *
 * @param part a condition for a part of them; null: all.
 * @throws UserError where there is too little memory for them: all are held.
 */
export async function subjectRecords(
  c: Case,
  subject: readonly Prefix[],
  { part = null, limit = recordLimit() }: { part?: string | Sql | null; limit?: SubjectRecords['limit'] } = {},
): Promise<SubjectRecords> {
  const mine = ofSubject(c, subject)
  const where = part === null ? mine : sql`${mine} AND ${typeof part === 'string' ? rawSql(part) : part}`
  const { block, dictionaries } = await readBlock(c, where, { limit })
  const isSubject = hostsIn(dictionaries.hosts, subject)
  const pairs = numberPairs(block)
  const fates = countOnce(block, pairs, { evidence: c.source, vantages: dictionaries.vantages, isSubject })
  return { block, pairs, dictionaries, fates, isSubject, limit: others => limit(block.rows + others) }
}

/** A condition on the case's flow records. */
export function ofSubject(c: Pick<Case, 'columns'>, subject: readonly Prefix[]): Sql {
  const tests = addressColumns(c).map(name => inAnyPrefix(`${name}.hi`, `${name}.lo`, subject))
  return {
    text: `(${tests.map(test => test.text).join(' OR ') || 'false'})`,
    values: tests.flatMap(test => test.values),
  }
}

/**
 * The subject's connections with their roles.
 *
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 * @param known which records these are, where they are a part of the subject's: what the others tell of listeners is read besides.
 */
export async function subjectConversations(
  c: Case,
  { block, pairs, dictionaries, fates, limit }: SubjectRecords,
  subject: readonly Prefix[],
  own: readonly Prefix[],
  known: Sql | null = null,
): Promise<Chained> {
  const { hosts } = dictionaries
  const metered = c.source === 'packets' ? await MeteredConnections.read(c, hosts, ofEnds(subject)) : null
  const chained = chain(c.source, block, pairs, dictionaries, fates, metered)
  const asked = askedEndpoints(chained)
  learnFrom(asked, chained, null)
  if (asked.count > 0) {
    const condition = known ?? ofSubject(c, subject)
    const elsewhere = await recordsElsewhere(c, asked, hosts, {
      condition,
      subject: known === null ? subject : [],
      limit,
    })
    learnFrom(asked, elsewhere.chained, elsewhere.hostOf)
  }
  judgeRest(chained, asked, { isInternal: internalHosts(hosts, own) })
  return chained
}

function ofEnds(subject: readonly Prefix[]): Sql {
  return sql`${inAnyPrefix('orig_addr.hi', 'orig_addr.lo', subject)} OR ${inAnyPrefix('resp_addr.hi', 'resp_addr.lo', subject)}`
}
