/** What the evidence tells of where it is from, for code that names it. */
import type { CodeContext } from '../as-code/code.ts'
import type { Case } from '../store/case.ts'
import { originOf } from './log-names.ts'
import type { ProtectedTraffic } from './protected.ts'
import { markedHosts, type Traffic } from './traffic.ts'

/** Each null where the evidence does not tell it, or tells several. */
export function codeContext(
  c: Pick<Case, 'evidence'>,
  read: ProtectedTraffic,
  { protected: marks }: Traffic,
): CodeContext {
  const names = c.evidence.flatMap(({ path }) => originOf(path) ?? [])
  const hosts = markedHosts(marks)
  return {
    region: only(names.map(({ region }) => region)),
    account: only(names.map(({ account }) => account)),
    vpc: only(hosts.flatMap(host => read.placeOf(host).vpc ?? [])),
  }
}

function only(texts: readonly string[]): string | null {
  const all = new Set(texts)
  return all.size === 1 ? texts[0]! : null
}
