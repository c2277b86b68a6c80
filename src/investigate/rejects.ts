/** What explains the rejected records of a subject (docs/reference/dossier.md, section 6). */
import { type Refusal, RefusalJudge, refusal } from '../conversations/refusals.ts'
import { ofSubject, type SubjectRecords } from '../conversations/subject.ts'
import type { Prefix } from '../net/prefix.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import { type RejectTriage, rejectExplanations } from './dossier.ts'
import { basisAt, type FileOf } from './lines.ts'

/** An explanation with its reason, in words. */
export type Explanation = Pick<RejectTriage['explained'][number], 'by' | 'reason'>

/** What `reject-reason` says. */
const said = { blocked: 0, unencrypted: 1, other: 2 } as const
type Said = (typeof said)[keyof typeof said]

const ofReason: Record<Said, Explanation> = {
  [said.blocked]: { by: 'block-public-access', reason: 'reject-reason is BPA: VPC Block Public Access' },
  [said.unencrypted]: { by: 'encryption-control', reason: 'reject-reason is EC: VPC Encryption Controls' },
  [said.other]: { by: 'not-decidable', reason: 'reject-reason has a value whose meaning is not known' },
}

const ofRefusal: Record<Refusal, Explanation> = {
  [refusal.closed]: { by: 'late', reason: 'after FIN or RST of its connection' },
  [refusal.ended]: {
    by: 'late',
    reason: 'its connection was let through before, and nothing of that direction after it',
  },
  [refusal.returnPath]: {
    by: 'return-path',
    reason: 'what it answers was let through, and no answer ever was: a stateless network ACL refuses the way back',
  },
  [refusal.opening]: {
    by: 'none',
    reason: 'a SYN; flow logs do not tell whether a security group or a network ACL refused it',
  },
  [refusal.first]: {
    by: 'none',
    reason:
      'nothing of its ends was let through before; flow logs do not tell whether a security group or a network ACL refused it',
  },
  [refusal.again]: {
    by: 'not-decidable',
    reason:
      'its ends were let through before and after it: the rules changed, or another connection has the same ports',
  },
  [refusal.coarse]: {
    by: 'not-decidable',
    reason: 'one aggregation interval has it and what was let through: which came first is not known',
  },
  [refusal.reused]: {
    by: 'not-decidable',
    reason: 'no TCP flags, and minutes after what was let through: late, or a new attempt from the same port',
  },
  [refusal.notOpening]: {
    by: 'not-decidable',
    reason:
      'TCP without SYN, and nothing of its ends was let through before: the log began later, or a scan without SYN',
  },
  [refusal.oneSided]: {
    by: 'not-decidable',
    reason: 'its flow log has REJECT records alone: what was let through is not known',
  },
  [refusal.withoutTime]: { by: 'not-decidable', reason: 'it has no time' },
  [refusal.withoutEnds]: { by: 'not-decidable', reason: 'it has no addresses, ports or protocol' },
}

/** Records of each explanation that are named: the first ones. */
const basisMax = 8

/** Rejected records by their explanation. */
export class Explained {
  private total = 0
  private readonly entries = new Map<string, RejectTriage['explained'][number]>()
  /** Those of explanations that were met: there are few of them, and many records. */
  private readonly met = new Map<Explanation, RejectTriage['explained'][number]>()
  private readonly fileOf: FileOf

  constructor(fileOf: FileOf) {
    this.fileOf = fileOf
  }

  add(explanation: Explanation, file: number, line: number): void {
    this.total++
    const entry = this.met.get(explanation) ?? this.entryOf(explanation)
    entry.records++
    if (entry.basis.length < basisMax) entry.basis.push(basisAt(this.fileOf, file, line))
  }

  private entryOf(explanation: Explanation): RejectTriage['explained'][number] {
    const key = `${explanation.by} ${explanation.reason}`
    const entry = this.entries.get(key) ?? { ...explanation, records: 0, basis: [] }
    this.entries.set(key, entry)
    this.met.set(explanation, entry)
    return entry
  }

  /** The most first. */
  told(): RejectTriage {
    const rank = ({ by }: Explanation): number => rejectExplanations.indexOf(by)
    const explained = [...this.entries.values()].sort(
      (a, b) => b.records - a.records || rank(a) - rank(b) || (a.reason < b.reason ? -1 : 1),
    )
    return { total: this.total, explained }
  }
}

/** What explains each rejected record of the subject. @param rejectOnly files whose flow log has REJECT alone. */
export async function triageRejects(
  c: Case,
  subject: readonly Prefix[],
  { block, dictionaries }: Pick<SubjectRecords, 'block' | 'dictionaries'>,
  part: string | null,
  rejectOnly: ReadonlySet<number>,
  fileOf: FileOf,
): Promise<RejectTriage> {
  const mine = ofSubject(c, subject)
  const reasons = await rejectReasons(c, part === null ? mine : sql`${mine} AND ${rawSql(part)}`)
  const judge = new RefusalJudge(dictionaries.vantages)
  judge.note(block)
  judge.learn(block)
  const explained = new Explained(fileOf)
  judge.each(
    file => rejectOnly.has(file),
    ({ file, line, is }) => explained.add(reasons(file, line) ?? explanationOf(is), file, line),
  )
  return explained.told()
}

export function explanationOf(is: Refusal): Explanation {
  return ofRefusal[is]
}

/** What `reject-reason` says of rejected records, by file and line; null of those that have none. */
export async function rejectReasons(c: Case, where: Sql): Promise<(file: number, line: number) => Explanation | null> {
  if (c.source === 'packets' || !c.columns.has('reject_reason') || !c.columns.has('action')) return () => null
  const found = new SaidOfLines()
  const answer = await c.db.stream(
    `SELECT _file::UINTEGER, _line::UINTEGER,
      CASE reject_reason WHEN 'BPA' THEN ${said.blocked} WHEN 'EC' THEN ${said.unencrypted} ELSE ${said.other} END::UINTEGER
    FROM flows WHERE action = 'REJECT' AND reject_reason IS NOT NULL AND ${where.text}`,
    where.values,
  )
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    const [files, lines, words] = batch.columns.map(({ data }) => new Uint32Array(data)) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ]
    for (let i = 0; i < batch.rows; i++) found.set(files[i]!, lines[i]!, words[i] as Said)
  }
  return (file, line) => {
    const word = found.get(file, line)
    return word === undefined ? null : ofReason[word]
  }
}

/** What was said of lines: a byte for each line of a file, up to the last of which something was. */
export class SaidOfLines {
  /** By file: one more than what was said, 0 for nothing. */
  private readonly files = new Map<number, Uint8Array>()

  set(file: number, line: number, is: Said): void {
    let bytes = this.files.get(file) ?? new Uint8Array(1024)
    if (line >= bytes.length) {
      const wider = new Uint8Array(Math.max(line + 1, 2 * bytes.length))
      wider.set(bytes)
      bytes = wider
    }
    bytes[line] = is + 1
    this.files.set(file, bytes)
  }

  get(file: number, line: number): Said | undefined {
    const is = this.files.get(file)?.[line] ?? 0
    return is === 0 ? undefined : ((is - 1) as Said)
  }
}
