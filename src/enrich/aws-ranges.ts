/** AWS's ip-ranges.json: which service and region an address belongs to. */
import { UserError } from '../errors.ts'
import { parsePrefix } from '../net/prefix.ts'
import { PrefixRows } from '../net/prefix-table.ts'
import { utcSeconds } from '../net/time.ts'
import * as shape from '../shape.ts'
import type { EnrichmentFile, EnrichmentProblem } from './enrichment-file.ts'
import { parsed } from './list-json.ts'
import { Problems, readSource, shortened } from './source-file.ts'
import { timeOf } from './times.ts'

export interface AwsService {
  /** As AWS writes it: `S3`, `EC2`; `AMAZON` where it names no other. */
  service: string
  region: string
  prefix: string
}

export interface AwsRanges {
  file: EnrichmentFile
  problems: EnrichmentProblem[]
  find(hi: bigint, lo: bigint): AwsService | null
}

const ranges = shape.objectOf(
  { prefixes: shape.listOf(shape.anything) },
  { createDate: shape.text, ipv6_prefixes: shape.listOf(shape.anything) },
)
const four = shape.objectOf({ ip_prefix: shape.text, region: shape.text, service: shape.text })
const six = shape.objectOf({ ipv6_prefix: shape.text, region: shape.text, service: shape.text })

/** @throws UserError where the file cannot be read, or is not one of AWS's. */
export function readAwsRanges(path: string): AwsRanges {
  const { bytes, sha256 } = readSource(path, 'aws-ranges', 100)
  const { value, fault } = shape.fit(ranges, parsed(`--aws-ranges ${path}`, bytes))
  if (value === null) {
    throw new UserError(`--aws-ranges ${path}: not AWS’s ip-ranges.json`, {
      hint: `${fault}; AWS publishes it at https://ip-ranges.amazonaws.com/ip-ranges.json`,
    })
  }
  const problems = new Problems(path)
  const rows = new PrefixRows()
  const services: Omit<AwsService, 'prefix'>[] = []
  const add = (text: string, region: string, service: string): void => {
    const prefix = parsePrefix(text)
    if (prefix === null) {
      problems.add(`not a prefix: ${shortened(text)}`)
      return
    }
    rows.addRange(prefix, services.push({ service, region }) - 1)
  }
  for (const [i, one] of value.prefixes.entries()) {
    const read = shape.fit(four, one)
    if (read.value === null) problems.add(`prefix ${i + 1}: ${read.fault}`)
    else add(read.value.ip_prefix, read.value.region, read.value.service)
  }
  for (const [i, one] of (value.ipv6_prefixes ?? []).entries()) {
    const read = shape.fit(six, one)
    if (read.value === null) problems.add(`IPv6 prefix ${i + 1}: ${read.fault}`)
    else add(read.value.ipv6_prefix, read.value.region, read.value.service)
  }
  const table = rows.table()
  const find = (hi: bigint, lo: bigint): AwsService | null => {
    const found: (Omit<AwsService, 'prefix'> & { row: number })[] = []
    for (let row = table.find(hi, lo); row >= 0; row = table.around(row))
      found.push({ ...services[table.id(row)]!, row })
    const best = mostExact(found, row => table.length(row))
    return best === null ? null : { service: best.service, region: best.region, prefix: table.text(best.row) }
  }
  const made = value.createDate === undefined ? null : createdAt(value.createDate)
  const file: EnrichmentFile = {
    ...{ path, kind: 'aws-ranges', sha256, entries: services.length, from: null, to: null },
    ...{ dated: made === null ? null : utcSeconds(made), left_out: {} },
  }
  return { file, problems: problems.list(), find }
}

/** `2023-09-28-17-33-08`. */
function createdAt(text: string): number | null {
  const [, day, hour, minute, second] = /^(\d{4}-\d\d-\d\d)-(\d\d)-(\d\d)-(\d\d)$/.exec(text) ?? []
  return day === undefined ? null : timeOf(`${day}T${hour}:${minute}:${second}Z`)
}

/** The longest prefix wins. AMAZON, which holds all others, counts where there is no other, and EC2 where the same prefix has no other. */
function mostExact<F extends { service: string; row: number }>(
  found: readonly F[],
  length: (row: number) => number,
): F | null {
  const exact = found.filter(({ service }) => service !== 'AMAZON')
  const pool = exact.length > 0 ? exact : found
  const longest = pool.filter(({ row }) => length(row) === length(pool[0]!.row))
  const rank = (service: string): string => `${service === 'EC2' ? 1 : 0}${service}`
  return longest.sort((a, b) => (rank(a.service) < rank(b.service) ? -1 : 1))[0] ?? null
}
