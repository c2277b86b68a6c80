/** What names of keys say, as AWS's services write them: account, region, time, layout. */
import type { Narrowing } from './remote.ts'

/** What is known of a key, or of all keys below a folder. Times in milliseconds since the epoch, `to` without the moment itself. */
export interface KeyFacts {
  account?: string
  region?: string
  service?: string
  from?: number
  to?: number
  /** `hive` or `plain`, and `daily` or `hourly`, for folders of AWS's layouts. */
  layout?: string
  /** Whether the name of the file itself says when it was made. */
  isNamed?: boolean
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** A file is named by the begin of the five minutes in which its records ended. */
const fileMinutes = 5 * minute
/** So long before and after a window names are looked at: the file's own five minutes, and records of ten minutes that began in the window. */
const before = 5 * minute
const after = 15 * minute

/** The services under `AWSLogs/` that are no flow logs are known by being there at all. */
const flowService = 'vpcflowlogs'

/** What a key says, or, where it ends with `/`, every key that begins with it. */
export function factsOf(key: string): KeyFacts {
  const parts = key.split('/')
  const name = parts.pop()!
  const facts: KeyFacts = {}
  const root = parts.lastIndexOf('AWSLogs')
  if (root >= 0) folderFacts(parts.slice(root + 1), facts)
  const [, account, service, region, year, month, date, hours, minutes] =
    /^(\d{12})_(\w+)_([a-z0-9-]+)_(?:[\w-]+_)?(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_/.exec(name) ?? []
  if (account === undefined) return facts
  const from = Date.UTC(+year!, +month! - 1, +date!, +hours!, +minutes!)
  return { ...facts, account, service: service!, region: region!, from, to: from + fileMinutes, isNamed: true }
}

/** Folders after `AWSLogs`: maybe an organisation, then account, service, region, year, month, day and hour. */
function folderFacts(parts: readonly string[], facts: KeyFacts): void {
  const at = parts.findIndex(part => /^(?:aws-account-id=)?\d{12}$/.test(part))
  if (at < 0) return
  const isHive = parts[at]!.startsWith('aws-account-id=')
  const values = parts.slice(at).map(part => (isHive ? part.replace(/^[\w-]+=/, '') : part))
  const [account, service, region, year, month, date, hours] = values
  facts.account = account!
  if (service !== undefined) facts.service = service
  if (service !== undefined && service !== flowService) return
  if (region !== undefined) facts.region = region
  const number = (text: string | undefined, length: number): number | null =>
    text !== undefined && text.length === length && /^\d+$/.test(text) ? Number(text) : null
  const [y, m, d, h] = [number(year, 4), number(month, 2), number(date, 2), number(hours, 2)]
  if (d !== null) facts.layout = `${isHive ? 'Hive' : 'plain'}, ${h === null ? 'daily' : 'hourly'}`
  if (y === null) return
  if (m === null) Object.assign(facts, { from: Date.UTC(y, 0, 1), to: Date.UTC(y + 1, 0, 1) })
  else if (d === null) Object.assign(facts, { from: Date.UTC(y, m - 1, 1), to: Date.UTC(y, m, 1) })
  else {
    const from = Date.UTC(y, m - 1, d, h ?? 0)
    Object.assign(facts, { from, to: from + (h === null ? day : hour) })
  }
}

/** Whether what has these facts may hold something that is wanted. What says nothing may. */
export function isWanted(facts: KeyFacts, { from_us, to_us, accounts, regions }: Narrowing): boolean {
  if (facts.service !== undefined && facts.service !== flowService) return false
  if (facts.account !== undefined && accounts !== undefined && !accounts.includes(facts.account)) return false
  if (facts.region !== undefined && regions !== undefined && !regions.includes(facts.region)) return false
  if (facts.to !== undefined && from_us !== undefined && facts.to <= from_us / 1000 - before) return false
  return facts.from === undefined || to_us === undefined || facts.from <= to_us / 1000 + after
}

/** How a file of that key is laid out, in words. */
export function layoutOf(key: string, facts: KeyFacts): string {
  const folders = facts.layout ?? 'other keys'
  const form = /\.parquet$/i.test(key) ? 'Parquet' : /\.log(\.gz)?$/i.test(key) ? 'text' : 'other files'
  return `${folders}, ${form}`
}
