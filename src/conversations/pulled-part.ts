/** What may be asked of a case that has a part of what an engine holds: what needs records that were left there is refused. */
import { exitStatus, UserError } from '../errors.ts'
import { formatAddress } from '../net/address.ts'
import { type Prefix, parsePrefix, prefixContains } from '../net/prefix.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import type { Case } from '../store/case.ts'
import { pulledWords } from '../store/pulled.ts'
import type { EndpointTable } from './endpoints.ts'

/** An endpoint as the ledger names it: address, port, protocol. */
export function endpointText(
  { hi, lo }: Pick<RecordDictionaries['hosts'], 'hi' | 'lo'>,
  host: number,
  port: number,
  protocol: number,
): string {
  return `${formatAddress(hi[host]!, lo[host]!)} ${port} ${protocol}`
}

/** @throws UserError for a subject not all of whose records are in the case. */
export function requirePulled({ pulled }: Pick<Case, 'pulled'>, subject: readonly Prefix[]): void {
  if (pulled === null) return
  const all = pulled.note.subject.flatMap(text => parsePrefix(text) ?? [])
  const isIn = (one: Prefix): boolean =>
    all.some(other => prefixContains(other, one.first) && prefixContains(other, one.last))
  const left = subject.find(one => !isIn(one))
  if (left === undefined) return
  const held = pulledWords(pulled.note)
  throw new UserError(`the case holds what was pulled from an engine, ${held}, and not all records of ${left.text}`, {
    status: exitStatus.usage,
    hint: `pull them into a case of their own: tidemark pull ${left.text} --engine … --case …`,
  })
}

/** @throws UserError where one of the endpoints was not asked for when records were pulled. */
export function requireEndpoints(
  { pulled }: Pick<Case, 'pulled'>,
  asked: EndpointTable,
  hosts: RecordDictionaries['hosts'],
): void {
  if (pulled === null) return
  const known = new Set(pulled.note.endpoints)
  for (let endpoint = 0; endpoint < asked.count; endpoint++) {
    const { host, port, protocol } = asked.at(endpoint)
    const text = endpointText(hosts, host, port, protocol)
    if (!known.has(text))
      throw new UserError(
        `the case holds what was pulled from an engine, which is not enough to tell who listens at ${text}`,
        {
          hint: 'pull for this question alone: the same addresses and times, into a case of its own',
        },
      )
  }
}
