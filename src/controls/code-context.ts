/** What the evidence tells of where it is from, for code that names it. */
import type { CodeContext } from '../as-code/code.ts'
import type { Case } from '../store/case.ts'
import type { ProtectedTraffic } from './protected.ts'
import { markedHosts, type Traffic } from './traffic.ts'

/** AWS names the files of a flow log `account_vpcflowlogs_region_flow-log_time_hash` (Amazon VPC User Guide, "Flow log files"). */
const fileName = /(?:^|[/:])(\d{12})_vpcflowlogs_([a-z]{2}(?:-[a-z]+)+-\d)_[^/]*$/

/** Each null where the evidence does not tell it, or tells several. */
export function codeContext(
  c: Pick<Case, 'evidence'>,
  read: ProtectedTraffic,
  { protected: marks }: Traffic,
): CodeContext {
  const names = c.evidence.flatMap(({ path }) => {
    const found = fileName.exec(path)
    return found === null ? [] : [found]
  })
  const hosts = markedHosts(marks)
  return {
    region: only(names.map(([, , region]) => region!)),
    account: only(names.map(([, account]) => account!)),
    vpc: only(hosts.flatMap(host => read.placeOf(host).vpc ?? [])),
    logGroup: null,
  }
}

function only(texts: readonly string[]): string | null {
  const all = new Set(texts)
  return all.size === 1 ? texts[0]! : null
}
