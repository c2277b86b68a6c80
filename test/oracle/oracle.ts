/**
 * A second implementation of docs/reference/dossier.md over raw lines: slow, plain, and sharing no code with the product.
 *
 * It is the yardstick for the product's figures, so it is written to be compared with the page by eye: one function per
 * paragraph, nested loops, no cleverness. Where the page leaves a choice, a comment that begins with "Reading:" says which
 * one was taken.
 */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gunzipSync } from 'node:zlib'

// ---------------------------------------------------------------------------------------------------------------------
// Addresses and times
// ---------------------------------------------------------------------------------------------------------------------

/** Value of an IPv4 address, or null if the text is none. */
function parseIpv4(text: string): bigint | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let value = 0n
  for (const part of parts) {
    if (!/^[0-9]{1,3}$/.test(part)) return null
    if (part.length > 1 && part.startsWith('0')) return null
    if (Number(part) > 255) return null
    value = value * 256n + BigInt(part)
  }
  return value
}

/** Value of an IPv6 address, or null if the text is none. */
function parseIpv6(text: string): bigint | null {
  let hexText = text
  // The last 32 bits may be written as an IPv4 address.
  if (text.includes('.')) {
    const lastColon = text.lastIndexOf(':')
    if (lastColon < 0) return null
    const tail = parseIpv4(text.slice(lastColon + 1))
    if (tail === null) return null
    hexText = `${text.slice(0, lastColon + 1)}${(tail / 65536n).toString(16)}:${(tail % 65536n).toString(16)}`
  }
  const halves = hexText.split('::')
  let groups: string[]
  if (halves.length === 1) {
    groups = hexText.split(':')
  } else if (halves.length === 2) {
    const left = halves[0] === '' ? [] : halves[0]!.split(':')
    const right = halves[1] === '' ? [] : halves[1]!.split(':')
    const missing = 8 - left.length - right.length
    if (missing < 1) return null
    groups = [...left, ...Array<string>(missing).fill('0'), ...right]
  } else {
    return null
  }
  if (groups.length !== 8) return null
  let value = 0n
  for (const group of groups) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null
    value = value * 65536n + BigInt(`0x${group}`)
  }
  return value
}

const mappedIpv4 = 0xffff00000000n

/** 128-bit value of an address; IPv4 is ::ffff:a.b.c.d. Null if the text is no address. */
export function parseAddress(text: string): bigint | null {
  const ipv4 = parseIpv4(text)
  return ipv4 === null ? parseIpv6(text) : mappedIpv4 + ipv4
}

/** Canonical text: dotted quad for IPv4, RFC 5952 for IPv6. */
export function addressText(address: bigint): string {
  if (address / 2n ** 32n === 0xffffn) {
    const ipv4 = address % 2n ** 32n
    return [ipv4 / 2n ** 24n, (ipv4 / 2n ** 16n) % 256n, (ipv4 / 256n) % 256n, ipv4 % 256n].join('.')
  }
  const groups: bigint[] = []
  for (let index = 7n; index >= 0n; index--) groups.push((address / 65536n ** index) % 65536n)
  let longestAt = 0
  let longest = 0
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && groups[at + length] === 0n) length++
    if (length > longest) {
      longest = length
      longestAt = at
    }
  }
  const hex = groups.map(group => group.toString(16))
  if (longest < 2) return hex.join(':')
  return `${hex.slice(0, longestAt).join(':')}::${hex.slice(longestAt + longest).join(':')}`
}

interface Prefix {
  first: bigint
  last: bigint
  text: string
}

export function parsePrefix(text: string): Prefix {
  const [addressPart, lengthPart] = text.split('/')
  const address = parseAddress(addressPart!)
  if (address === null) throw new Error(`not an address or prefix: ${text}`)
  const isIpv4 = parseIpv4(addressPart!) !== null
  const given = lengthPart === undefined ? (isIpv4 ? 32 : 128) : Number(lengthPart)
  const freeBits = BigInt(isIpv4 ? 32 - given : 128 - given)
  const first = (address / 2n ** freeBits) * 2n ** freeBits
  const canonical = lengthPart === undefined ? addressText(first) : `${addressText(first)}/${given}`
  return { first, last: first + 2n ** freeBits - 1n, text: canonical }
}

function liesInOneOf(address: bigint | null, prefixes: Prefix[]): boolean {
  if (address === null) return false
  return prefixes.some(prefix => prefix.first <= address && address <= prefix.last)
}

/** UTC, with milliseconds only where they are not zero. */
function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z')
}

function isoTimeOrNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : isoTime(milliseconds)
}

// ---------------------------------------------------------------------------------------------------------------------
// Evidence: from files to records
// ---------------------------------------------------------------------------------------------------------------------

/** One flow record. Times are milliseconds since the epoch; unknown is null. */
export interface OracleRecord {
  /** Index of the file in `OracleEvidence.files`. */
  file: number
  /** Line of the file, counted from 1, blank lines and headers included. */
  line: number
  subscription: string | null
  sensor: string | null
  instance_id: string | null
  srcaddr: bigint | null
  dstaddr: bigint | null
  pkt_srcaddr: bigint | null
  pkt_dstaddr: bigint | null
  pkt_src_aws_service: string | null
  pkt_dst_aws_service: string | null
  srcport: number | null
  dstport: number | null
  protocol: number | null
  packets: bigint | null
  bytes: bigint | null
  tcp_flags: number | null
  start: number
  end: number
  action: string | null
  reject_reason: string | null
  accepted: boolean
}

/** A NODATA or SKIPDATA line. */
interface OracleStatusLine {
  file: number
  line: number
  sensor: string | null
  start: number
  end: number
}

type OracleFileStatus = 'read' | 'partly-read' | 'unreadable' | 'duplicate' | 'not-evidence'

interface OracleFile {
  /** Relative to the folder, with `/`. */
  path: string
  status: OracleFileStatus
  lines: number
  header_lines: number
  records: number
  no_data: number
  skip_data: number
  malformed: number
  first_start: string | null
  last_end: string | null
  /** `first_start` and `last_end` in milliseconds. */
  first_start_ms: number | null
  last_end_ms: number | null
  /** Every malformed line. */
  problems: { line: number; problem: string }[]
}

interface OracleTotals {
  files: number
  lines: number
  header_lines: number
  records: number
  no_data: number
  skip_data: number
  malformed: number
}

export interface OracleEvidence {
  files: OracleFile[]
  totals: OracleTotals
  records: OracleRecord[]
  no_data: OracleStatusLine[]
  skip_data: OracleStatusLine[]
}

const headerWords = [
  'srcaddr',
  'dstaddr',
  'version',
  'account-id',
  'bytes',
  'packets',
  'log-status',
  'interface-id',
] as const

function isHeaderLine(line: string): boolean {
  const tokens = line.split(' ')
  if (!tokens.every(token => /^[a-z][a-z0-9-]*$/.test(token))) return false
  if (!tokens.includes('start') || !tokens.includes('end')) return false
  return headerWords.filter(word => tokens.includes(word)).length >= 2
}

function looksLikeFlowRecord(line: string): boolean {
  const tokens = line.split(' ')
  return tokens.length >= 8 && tokens.some(token => ['ACCEPT', 'REJECT', 'OK', 'NODATA', 'SKIPDATA'].includes(token))
}

/** Largest value of each numeric field. */
const largestValue = new Map<string, bigint>([
  ['version', 255n],
  ['srcport', 65535n],
  ['dstport', 65535n],
  ['protocol', 255n],
  ['packets', 2n ** 64n - 1n],
  ['bytes', 2n ** 64n - 1n],
  ['start', 2n ** 63n / 1000000n],
  ['end', 2n ** 63n / 1000000n],
  ['tcp-flags', 255n],
  ['traffic-path', 255n],
  ['encryption-status', 255n],
])

const addressFields = ['srcaddr', 'dstaddr', 'pkt-srcaddr', 'pkt-dstaddr']

/** What is wrong with a value, or null. */
function valueProblem(field: string, value: string): string | null {
  if (value === '') return `${field} is empty`
  if (value === '-') return null
  const largest = largestValue.get(field)
  if (largest !== undefined) {
    if (!/^[0-9]+$/.test(value)) return `${field} is not a number`
    if (BigInt(value) > largest) return `${field} is too large`
  }
  if (addressFields.includes(field) && parseAddress(value) === null) return `${field} is not an address`
  if (field === 'action' && value !== 'ACCEPT' && value !== 'REJECT') return 'action is neither ACCEPT nor REJECT'
  if (field === 'log-status' && !['OK', 'NODATA', 'SKIPDATA'].includes(value)) return 'log-status is unknown'
  return null
}

/** Seconds, or milliseconds if above 2^31-1, to milliseconds. */
function timeInMilliseconds(text: string): number {
  const value = Number(text)
  return value > 2 ** 31 - 1 ? value : value * 1000
}

type LineMeaning =
  | { kind: 'malformed'; problem: string }
  | { kind: 'record'; record: OracleRecord }
  | { kind: 'no-data'; statusLine: OracleStatusLine }
  | { kind: 'skip-data'; statusLine: OracleStatusLine }

function readLine(
  line: string,
  columns: string[],
  place: { file: number; line: number; subscription: string | null },
): LineMeaning {
  const tokens = line.split(' ')
  if (tokens.length !== columns.length) {
    return { kind: 'malformed', problem: `${tokens.length} fields instead of ${columns.length}` }
  }
  const values = new Map<string, string | null>()
  for (let index = 0; index < columns.length; index++) {
    const field = columns[index]!
    const value = tokens[index]!
    const problem = valueProblem(field, value)
    if (problem !== null) return { kind: 'malformed', problem }
    values.set(field, value === '-' ? null : value)
  }
  const text = (field: string): string | null => values.get(field) ?? null
  const count = (field: string): number | null => (text(field) === null ? null : Number(text(field)))
  const bigCount = (field: string): bigint | null => (text(field) === null ? null : BigInt(text(field)!))
  const address = (field: string): bigint | null => (text(field) === null ? null : parseAddress(text(field)!))

  const startText = text('start')
  const endText = text('end')
  if (startText === null || endText === null) return { kind: 'malformed', problem: 'start or end is missing' }
  const start = timeInMilliseconds(startText)
  const end = timeInMilliseconds(endText)
  if (end < start) return { kind: 'malformed', problem: 'end is before start' }

  // Sensor: interface_id, else resource_id, else tgw_attachment_id; else the instance, else subnet and direction.
  const within = [text('subnet-id'), text('flow-direction')].filter(one => one !== null).join(' ')
  const sensor =
    text('interface-id') ??
    text('resource-id') ??
    text('tgw-attachment-id') ??
    text('instance-id') ??
    (within === '' ? null : within)

  if (columns.includes('log-status')) {
    const logStatus = text('log-status')
    // Reading: a log-status of `-` is neither OK nor NODATA nor SKIPDATA, so the line can only be malformed.
    if (logStatus === null) return { kind: 'malformed', problem: 'log-status is missing' }
    const statusLine = { file: place.file, line: place.line, sensor, start, end }
    if (logStatus === 'NODATA') return { kind: 'no-data', statusLine }
    if (logStatus === 'SKIPDATA') return { kind: 'skip-data', statusLine }
  }
  return {
    kind: 'record',
    record: {
      file: place.file,
      line: place.line,
      subscription: place.subscription,
      sensor,
      instance_id: text('instance-id'),
      srcaddr: address('srcaddr'),
      dstaddr: address('dstaddr'),
      pkt_srcaddr: address('pkt-srcaddr'),
      pkt_dstaddr: address('pkt-dstaddr'),
      pkt_src_aws_service: text('pkt-src-aws-service'),
      pkt_dst_aws_service: text('pkt-dst-aws-service'),
      srcport: count('srcport'),
      dstport: count('dstport'),
      protocol: count('protocol'),
      packets: bigCount('packets'),
      bytes: bigCount('bytes'),
      tcp_flags: count('tcp-flags'),
      start,
      end,
      action: text('action'),
      reject_reason: text('reject-reason'),
      accepted: text('action') !== 'REJECT',
    },
  }
}

/** The bytes of a file, unpacked if it is gzip, as far as they can be had. */
function unpack(content: Buffer): { content: Buffer; damaged: boolean } {
  const isGzip = content.length >= 2 && content[0] === 0x1f && content[1] === 0x8b
  if (!isGzip) return { content, damaged: false }
  try {
    return { content: gunzipSync(content), damaged: false }
  } catch {
    // The longest beginning in which no damage shows: if a beginning is damaged, so is every longer one.
    let good = 0
    let bad = content.length + 1
    while (bad - good > 1) {
      const middle = Math.floor((good + bad) / 2)
      if (unpackBeginning(content, middle) === null) bad = middle
      else good = middle
    }
    return { content: unpackBeginning(content, good) ?? Buffer.alloc(0), damaged: true }
  }
}

function unpackBeginning(content: Buffer, length: number): Buffer | null {
  if (length === 0) return Buffer.alloc(0)
  try {
    return gunzipSync(content.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return null
  }
}

/** Paths of all files below a folder, relative to it, in order of the whole path. */
function filesBelow(dir: string): string[] {
  const paths: string[] = []
  const visit = (relative: string): void => {
    for (const name of readdirSync(join(dir, relative))) {
      const path = relative === '' ? name : `${relative}/${name}`
      if (statSync(join(dir, path)).isDirectory()) visit(path)
      else paths.push(path)
    }
  }
  visit('')
  return paths.sort((a, b) => (a < b ? -1 : 1))
}

/** The `fl-…` id in a file's name (the name alone, not its folders). */
function subscriptionOf(path: string): string | null {
  const name = path.split('/').at(-1)!
  return /fl-[0-9a-f]+/.exec(name)?.[0] ?? null
}

/**
 * Reads every file of a folder.
 *
 * `format`: field names, space-separated, for the lines before the first header of a file; without it a file that does
 * not begin with a header contributes nothing.
 */
export function readFolder(dir: string, format?: string): OracleEvidence {
  const evidence: OracleEvidence = {
    files: [],
    totals: { files: 0, lines: 0, header_lines: 0, records: 0, no_data: 0, skip_data: 0, malformed: 0 },
    records: [],
    no_data: [],
    skip_data: [],
  }
  const seenContent = new Set<string>()
  for (const path of filesBelow(dir)) {
    const fileBytes = readFileSync(join(dir, path))
    const digest = createHash('sha256').update(fileBytes).digest('hex')
    const file = readOneFile(path, fileBytes, format, evidence, seenContent.has(digest))
    seenContent.add(digest)
    evidence.files.push(file)
  }
  for (const file of evidence.files) {
    if (file.status !== 'read' && file.status !== 'partly-read') continue
    evidence.totals.files++
    evidence.totals.lines += file.lines
    evidence.totals.header_lines += file.header_lines
    evidence.totals.records += file.records
    evidence.totals.no_data += file.no_data
    evidence.totals.skip_data += file.skip_data
    evidence.totals.malformed += file.malformed
  }
  return evidence
}

/** Reads one file; its records and status lines go to `evidence`. */
function readOneFile(
  path: string,
  fileBytes: Buffer,
  format: string | undefined,
  evidence: OracleEvidence,
  seenBefore: boolean,
): OracleFile {
  const fileNumber = evidence.files.length
  const file: OracleFile = {
    path,
    status: 'read',
    lines: 0,
    header_lines: 0,
    records: 0,
    no_data: 0,
    skip_data: 0,
    malformed: 0,
    first_start: null,
    last_end: null,
    first_start_ms: null,
    last_end_ms: null,
    problems: [],
  }
  const { content, damaged } = unpack(fileBytes)
  if (damaged) file.status = 'partly-read'

  const pieces = content.toString('utf8').split('\n')
  // What follows the last newline: nothing, or a line without a newline.
  const lastPiece = pieces.length - 1
  const isCutOff = (index: number): boolean => damaged && index === lastPiece
  const lineTexts = pieces.map(piece => (piece.endsWith('\r') ? piece.slice(0, -1) : piece))

  let columns: string[] | null = format === undefined ? null : format.split(' ')
  const firstLine = lineTexts.find((text, index) => text !== '' && !isCutOff(index))
  const startsWithHeader = firstLine !== undefined && isHeaderLine(firstLine)
  const firstLooksLikeRecord = firstLine !== undefined && looksLikeFlowRecord(firstLine)
  // Reading: a file is headerless if its first line that is not blank is no header.
  if (!startsWithHeader && columns === null) {
    // Reading: a damaged gzip file that gives not one whole line is unreadable, whatever it was.
    file.status = firstLooksLikeRecord || (damaged && firstLine === undefined) ? 'unreadable' : 'not-evidence'
    return file
  }
  // Reading: a file with the same bytes as an earlier one is the same evidence; it is listed and contributes nothing.
  if (seenBefore) {
    file.status = 'duplicate'
    return file
  }

  for (let index = 0; index < lineTexts.length; index++) {
    const text = lineTexts[index]!
    if (text === '') continue
    file.lines++
    if (isCutOff(index)) {
      file.malformed++
      file.problems.push({ line: index + 1, problem: 'the file is damaged within this line' })
      continue
    }
    if (isHeaderLine(text)) {
      file.header_lines++
      columns = text.split(' ')
      continue
    }
    const meaning = readLine(text, columns!, { file: fileNumber, line: index + 1, subscription: subscriptionOf(path) })
    if (meaning.kind === 'malformed') {
      file.malformed++
      file.problems.push({ line: index + 1, problem: meaning.problem })
    } else if (meaning.kind === 'no-data') {
      file.no_data++
      evidence.no_data.push(meaning.statusLine)
    } else if (meaning.kind === 'skip-data') {
      file.skip_data++
      evidence.skip_data.push(meaning.statusLine)
    } else {
      const { record } = meaning
      file.records++
      evidence.records.push(record)
      // Reading: a file's times are those of its records.
      if (file.first_start_ms === null || record.start < file.first_start_ms) file.first_start_ms = record.start
      if (file.last_end_ms === null || record.end > file.last_end_ms) file.last_end_ms = record.end
    }
  }
  file.first_start = isoTimeOrNull(file.first_start_ms)
  file.last_end = isoTimeOrNull(file.last_end_ms)
  return file
}

// ---------------------------------------------------------------------------------------------------------------------
// The dossier
// ---------------------------------------------------------------------------------------------------------------------

export interface OracleOptions {
  /** Prefixes that are internal besides the private ones. */
  internal?: string[]
  approved_ports?: number[]
  /** Whether IANA registers a service on a port; by default a small list that covers the default approved ports. */
  registered?: (port: number, protocol: number) => boolean
}

interface OraclePortCounts {
  records: number
  rejected: number
  packets: bigint | null
  bytes: bigint | null
  at_least?: true
}

interface OraclePortRow {
  port: number
  protocol: number
  as_source: OraclePortCounts
  as_destination: OraclePortCounts
}

type OracleOutcome = 'answered' | 'refused' | 'unanswered' | 'rejected'
type OracleRoleBasis =
  | 'syn'
  | 'listener'
  | 'aws-service'
  | 'rejected-attempt'
  | 'port-number'
  | 'first-seen'
  | 'unknown'

interface OracleServiceRow {
  server: string
  port: number | null
  protocol: number | null
  standard: boolean | null
  client: string
  subject_role: 'server' | 'client' | 'both' | 'transit'
  outcome: OracleOutcome
  records: number
  rejected: number
  connections: number
  bytes_to_server: bigint | null
  bytes_to_client: bigint | null
  packets_to_server: bigint | null
  packets_to_client: bigint | null
  at_least: boolean
  first_start: string
  last_end: string
  role_basis: OracleRoleBasis
  role_confidence: number
  /** Number of the rule (section 4) behind `role_basis`, for messages: two rules are called `listener`. */
  role_rule: number
}

interface OracleServiceKey {
  server: string
  port: number | null
  protocol: number | null
}

interface OracleGap {
  sensor: string | null
  from: string | null
  to: string | null
  reason: 'skipdata' | 'time-gap' | 'malformed-lines' | 'unreadable-file' | 'partly-read-file' | 'rejected-only'
  /** Relative path, for the reasons that name a file. */
  path: string | null
}

/** What became of the subject's records of one vantage point. */
interface OracleVantage {
  sensor: string | null
  subscription: string | null
  records: number
  counted: number
  copies: number
  translated: number
  twins: number
  /** Records without both effective addresses. */
  without_endpoints: number
  interval_seconds: number
}

export interface OracleDossier {
  subject: string[]
  window: { first_start: string | null; last_start: string | null; last_end: string | null; seconds: number | null }
  records: { total: number; subject: number; accepted: number; rejected: number }
  bytes: { from_subject: bigint | null; to_subject: bigint | null }
  packets: { from_subject: bigint | null; to_subject: bigint | null }
  ports: OraclePortRow[]
  services: OracleServiceRow[]
  attack_surface: {
    complete: boolean
    answered: OracleServiceKey[]
    refused: OracleServiceKey[]
    unanswered: OracleServiceKey[]
    rejected: OracleServiceKey[]
    gaps: OracleGap[]
  }
  vantages: OracleVantage[]
}

const second = 1000

/** A subject record with both effective addresses. */
interface Flow {
  record: OracleRecord
  esrc: bigint
  edst: bigint
}

export function effectiveSource(record: OracleRecord): bigint | null {
  return record.pkt_srcaddr ?? record.srcaddr
}

export function effectiveDestination(record: OracleRecord): bigint | null {
  return record.pkt_dstaddr ?? record.dstaddr
}

/** Every figure of the dossier that docs/reference/dossier.md defines. */
export function investigateSlow(
  evidence: OracleEvidence,
  subjects: string[],
  options: OracleOptions = {},
): OracleDossier {
  const prefixes = subjects.map(parsePrefix)
  const subjectRecords = evidence.records.filter(record => isSubjects(record, prefixes))
  const window = windowOf(subjectRecords)

  const allVantages = vantagePointsOf(evidence.records)
  const intervalAt = (record: OracleRecord): number =>
    intervalSeconds(allVantages.find(vantage => isOf(vantage, record))!.records)
  const largestG = (Math.max(60, ...allVantages.map(vantage => intervalSeconds(vantage.records))) + 60) * second
  const vantagePoints = vantagePointsOf(subjectRecords)
  const intervals = vantagePoints.map(vantage => intervalAt(vantage.records[0]!))

  const mine = countedOnce(subjectRecords, prefixes, largestG, intervalAt)
  const { flows, written, untranslated, counted } = mine
  const connections = connectionsOf(counted, intervalAt)
  // The rest of the case: a hop's own legs count there as everybody's.
  const all = countedOnce(evidence.records, [], largestG, intervalAt)
  const elsewhere = all.counted.filter(flow => !isSubjects(flow.record, prefixes))
  const judged = judge(connections, connectionsOf(elsewhere, intervalAt), options)
  const services = servicesOf(judged, prefixes, options)
  const gaps = gapsOf(evidence, window)

  const numberIn = (list: Flow[], records: OracleRecord[]): number =>
    list.filter(flow => records.includes(flow.record)).length

  return {
    subject: prefixes.map(prefix => prefix.text),
    window: {
      first_start: isoTimeOrNull(window?.first_start ?? null),
      last_start: isoTimeOrNull(window?.last_start ?? null),
      last_end: isoTimeOrNull(window?.last_end ?? null),
      seconds: window === null ? null : (window.last_end - window.first_start) / second,
    },
    records: {
      total: evidence.records.length,
      subject: subjectRecords.length,
      accepted: subjectRecords.filter(record => record.accepted).length,
      rejected: subjectRecords.filter(record => !record.accepted).length,
    },
    bytes: {
      from_subject: sumOf(counted, 'bytes', flow => liesInOneOf(flow.esrc, prefixes)),
      to_subject: sumOf(counted, 'bytes', flow => liesInOneOf(flow.edst, prefixes)),
    },
    packets: {
      from_subject: sumOf(counted, 'packets', flow => liesInOneOf(flow.esrc, prefixes)),
      to_subject: sumOf(counted, 'packets', flow => liesInOneOf(flow.edst, prefixes)),
    },
    ports: portsOf(subjectRecords),
    services,
    attack_surface: {
      complete: gaps.length === 0,
      answered: serviceKeys(services, 'answered'),
      refused: serviceKeys(services, 'refused'),
      unanswered: serviceKeys(services, 'unanswered'),
      rejected: serviceKeys(services, 'rejected'),
      gaps,
    },
    vantages: vantagePoints.map(({ sensor, subscription, records }, index) => ({
      sensor,
      subscription,
      records: records.length,
      counted: numberIn(counted, records),
      copies: numberIn(flows, records) - numberIn(written, records),
      translated: numberIn(written, records) - numberIn(untranslated, records),
      twins: numberIn(untranslated, records) - numberIn(counted, records),
      without_endpoints: records.length - numberIn(flows, records),
      interval_seconds: intervals[index]!,
    })),
  }
}

interface CountedOnce {
  /** Records with both effective addresses; those that are no copies; those that are no translated legs either; those that count. */
  flows: Flow[]
  written: Flow[]
  untranslated: Flow[]
  counted: Flow[]
}

/** Section 2 over some records. */
function countedOnce(
  records: OracleRecord[],
  prefixes: Prefix[],
  largestG: number,
  intervalAt: (record: OracleRecord) => number,
): CountedOnce {
  const flows: Flow[] = []
  for (const record of records) {
    const esrc = effectiveSource(record)
    const edst = effectiveDestination(record)
    if (esrc !== null && edst !== null) flows.push({ record, esrc, edst })
  }
  const written = flows.filter(flow => !isCopy(flow, flows))
  // Reading: a copy that names a hop names it all the same.
  const untranslated = written.filter(flow => !isTranslatedLeg(flow, flows, prefixes, largestG))
  const twins = twinsAmong(untranslated, flow => (intervalAt(flow.record) + 60) * second)
  return { flows, written, untranslated, counted: untranslated.filter(flow => !twins.has(flow)) }
}

/** Sum over accepted, counted records; null where there are some, and none says. */
function sumOf(flows: Flow[], field: 'bytes' | 'packets', condition: (flow: Flow) => boolean): bigint | null {
  return knownSum(flows.filter(flow => flow.record.accepted && condition(flow)).map(flow => flow.record[field]))
}

/** Null where there are values, and all are unknown. */
function knownSum(values: (bigint | null)[]): bigint | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 && values.length > 0 ? null : known.reduce((sum, value) => sum + value, 0n)
}

// Section 1 -----------------------------------------------------------------------------------------------------------

export function isSubjects(record: OracleRecord, prefixes: Prefix[]): boolean {
  const addresses = [record.srcaddr, record.dstaddr, record.pkt_srcaddr, record.pkt_dstaddr]
  return addresses.some(address => liesInOneOf(address, prefixes))
}

interface Window {
  first_start: number
  last_start: number
  last_end: number
}

function windowOf(records: OracleRecord[]): Window | null {
  if (records.length === 0) return null
  return {
    first_start: Math.min(...records.map(record => record.start)),
    last_start: Math.max(...records.map(record => record.start)),
    last_end: Math.max(...records.map(record => record.end)),
  }
}

function portsOf(records: OracleRecord[]): OraclePortRow[] {
  const rows = new Map<
    string,
    { port: number; protocol: number; source: OracleRecord[]; destination: OracleRecord[] }
  >()
  const rowFor = (port: number, protocol: number): { source: OracleRecord[]; destination: OracleRecord[] } => {
    const key = `${port}/${protocol}`
    const row = rows.get(key) ?? { port, protocol, source: [], destination: [] }
    rows.set(key, row)
    return row
  }
  for (const record of records) {
    // Reading: a port of a record without a protocol has no (port, protocol) to be counted under.
    if (record.protocol === null) continue
    if (record.srcport !== null) rowFor(record.srcport, record.protocol).source.push(record)
    if (record.dstport !== null) rowFor(record.dstport, record.protocol).destination.push(record)
  }
  return [...rows.values()]
    .map(({ port, protocol, source, destination }) => ({
      ...{ port, protocol, as_source: portCounts(source), as_destination: portCounts(destination) },
    }))
    .sort((a, b) => a.protocol - b.protocol || a.port - b.port)
}

function portCounts(records: OracleRecord[]): OraclePortCounts {
  return {
    records: records.length,
    rejected: records.filter(record => !record.accepted).length,
    packets: knownSum(records.map(record => record.packets)),
    bytes: knownSum(records.map(record => record.bytes)),
    ...(records.some(record => record.packets === null || record.bytes === null) && { at_least: true as const }),
  }
}

// Section 2 -----------------------------------------------------------------------------------------------------------

interface VantagePoint {
  sensor: string | null
  subscription: string | null
  records: OracleRecord[]
}

/** Reading: records without a sensor id are those of one sensor, "null". */
function vantagePointsOf(records: OracleRecord[]): VantagePoint[] {
  const points: VantagePoint[] = []
  for (const record of records) {
    const known = points.find(point => point.sensor === record.sensor && point.subscription === record.subscription)
    if (known === undefined) {
      points.push({ sensor: record.sensor, subscription: record.subscription, records: [record] })
    } else {
      known.records.push(record)
    }
  }
  return points.sort((a, b) => compareNullLast(a.sensor, b.sensor) || compareNullLast(a.subscription, b.subscription))
}

function isOf(vantage: VantagePoint, record: OracleRecord): boolean {
  return vantage.sensor === record.sensor && vantage.subscription === record.subscription
}

/** 60 if none of the records is longer than 60 s, else 600. */
function intervalSeconds(records: OracleRecord[]): number {
  return records.some(record => record.end - record.start > 60 * second) ? 600 : 60
}

function compareNullLast(a: string | null, b: string | null): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  return a < b ? -1 : 1
}

function isBefore(a: OracleRecord, b: OracleRecord): boolean {
  return a.file < b.file || (a.file === b.file && a.line < b.line)
}

/**
 * Reading: taken pairwise. A record is a copy if an equal one stands in a *different* file at a smaller (file, line);
 * equal records of one file are several records. "Endpoints" are the effective ones.
 */
function isCopy(flow: Flow, flows: Flow[]): boolean {
  for (const other of flows) {
    if (other.record.file === flow.record.file) continue
    if (!isBefore(other.record, flow.record)) continue
    const equal =
      other.record.sensor === flow.record.sensor &&
      other.esrc === flow.esrc &&
      other.edst === flow.edst &&
      other.record.srcport === flow.record.srcport &&
      other.record.dstport === flow.record.dstport &&
      other.record.protocol === flow.record.protocol &&
      other.record.start === flow.record.start &&
      other.record.end === flow.record.end &&
      other.record.packets === flow.record.packets &&
      other.record.bytes === flow.record.bytes &&
      other.record.action === flow.record.action &&
      other.record.tcp_flags === flow.record.tcp_flags
    if (equal) return true
  }
  return false
}

interface Span {
  start: number
  end: number
}

/** Whether two spans overlap or lie at most `tolerance` apart. */
function overlapsWithin(a: Span, b: Span, tolerance: number): boolean {
  return a.start <= b.end + tolerance && b.start <= a.end + tolerance
}

/** The pairs (hop, address it stands in for) that a record names. */
function pairsNamedBy(record: OracleRecord): { hop: bigint; standsFor: bigint }[] {
  const pairs: { hop: bigint; standsFor: bigint }[] = []
  if (record.srcaddr !== null && record.pkt_srcaddr !== null && record.srcaddr !== record.pkt_srcaddr) {
    pairs.push({ hop: record.srcaddr, standsFor: record.pkt_srcaddr })
  }
  if (record.dstaddr !== null && record.pkt_dstaddr !== null && record.dstaddr !== record.pkt_dstaddr) {
    pairs.push({ hop: record.dstaddr, standsFor: record.pkt_dstaddr })
  }
  return pairs
}

function isBetween(flow: Flow, a: bigint, b: bigint): boolean {
  return (flow.esrc === a && flow.edst === b) || (flow.esrc === b && flow.edst === a)
}

/**
 * Reading: "overlap the records" means at least one of them, not the span of all. All pairs are judged at once, over
 * what the step before left. "The other way round" keeps the condition of time: a naming record goes if a record
 * between H and F lies within G of it.
 */
function isTranslatedLeg(flow: Flow, flows: Flow[], prefixes: Prefix[], G: number): boolean {
  for (const other of flows) {
    if (other.record.sensor !== flow.record.sensor) continue
    if (!overlapsWithin(flow.record, other.record, G)) continue
    for (const { hop, standsFor } of pairsNamedBy(other.record)) {
      if (!liesInOneOf(hop, prefixes) && isBetween(flow, hop, standsFor)) return true
    }
    for (const { hop, standsFor } of pairsNamedBy(flow.record)) {
      if (liesInOneOf(hop, prefixes) && isBetween(other, hop, standsFor)) return true
    }
  }
  return false
}

function sameKey(a: Flow, b: Flow): boolean {
  return (
    a.esrc === b.esrc &&
    a.edst === b.edst &&
    a.record.srcport === b.record.srcport &&
    a.record.dstport === b.record.dstport &&
    a.record.protocol === b.record.protocol
  )
}

function oppositeKey(a: Flow, b: Flow): boolean {
  return (
    a.esrc === b.edst &&
    a.edst === b.esrc &&
    a.record.srcport === b.record.dstport &&
    a.record.dstport === b.record.srcport &&
    a.record.protocol === b.record.protocol
  )
}

function sameVantage(a: Flow, b: Flow): boolean {
  return a.record.sensor === b.record.sensor && a.record.subscription === b.record.subscription
}

/** The records that another vantage point counts, and those that another sensor stopped. */
function twinsAmong(flows: Flow[], ownG: (flow: Flow) => number): Set<Flow> {
  const twins = new Set<Flow>()
  const done = new Set<Flow>()
  for (const example of flows) {
    if (done.has(example)) continue
    const ofKind = flows.filter(flow => sameKey(flow, example) && flow.record.accepted === example.record.accepted)
    for (const flow of ofKind) done.add(flow)
    settle(ofKind, flows, ownG, twins)
  }
  const kept = flows.filter(flow => !twins.has(flow))
  for (const flow of kept.filter(one => one.record.accepted)) {
    if (wasStopped(flow, kept, ownG)) twins.add(flow)
  }
  return twins
}

/** Of each stretch of records of one kind the records of one vantage point count; what it has not seen is looked at again. */
function settle(records: Flow[], flows: Flow[], ownG: (flow: Flow) => number, twins: Set<Flow>): void {
  const left: Flow[] = []
  for (const stretch of stretchesOf(records, Math.max(...records.map(ownG)))) {
    const vantages: Flow[][] = []
    for (const flow of stretch) {
      const known = vantages.find(vantage => sameVantage(vantage[0]!, flow))
      if (known === undefined) vantages.push([flow])
      else known.push(flow)
    }
    vantages.sort((a, b) => compareVantages(a, b, flows))
    const [chosen, ...others] = vantages
    for (const flow of others.flat()) {
      const isSeen = chosen!.some(one => overlapsWithin(flow.record, one.record, Math.max(ownG(flow), ownG(one))))
      if (isSeen) twins.add(flow)
      else left.push(flow)
    }
  }
  // Reading: what is left of several stretches of one kind is looked at together.
  if (left.length > 0) settle(left, flows, ownG, twins)
}

function stretchesOf(records: Flow[], gap: number): Flow[][] {
  const sorted = [...records].sort((a, b) => a.record.start - b.record.start || a.record.end - b.record.end)
  const stretches: Flow[][] = []
  let latest = Number.NEGATIVE_INFINITY
  for (const flow of sorted) {
    if (flow.record.start - latest > gap) stretches.push([])
    stretches.at(-1)!.push(flow)
    latest = Math.max(latest, flow.record.end)
  }
  return stretches
}

/** Whether as many rejected packets and bytes of another sensor stand for the accepted ones of this record's sensor. */
function wasStopped(flow: Flow, kept: Flow[], ownG: (flow: Flow) => number): boolean {
  const own = kept.filter(one => sameKey(one, flow) && one.record.accepted && one.record.sensor === flow.record.sensor)
  const total = (list: Flow[], field: 'packets' | 'bytes'): bigint | null => {
    const known = list.map(one => one.record[field]).filter(value => value !== null)
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0n)
  }
  const span = (list: Flow[]): Span => ({
    start: Math.min(...list.map(one => one.record.start)),
    end: Math.max(...list.map(one => one.record.end)),
  })
  const alike = (a: bigint | null, b: bigint | null): boolean =>
    a !== null && b !== null && (a > b ? a - b : b - a) * 10n <= a
  const rejected = kept.filter(one => sameKey(one, flow) && !one.record.accepted)
  const sensors = new Set(rejected.map(one => one.record.sensor))
  for (const sensor of sensors) {
    if (sensor === flow.record.sensor) continue
    const others = rejected.filter(one => one.record.sensor === sensor)
    const gap = Math.max(...own.map(ownG), ...others.map(ownG))
    if (!overlapsWithin(span(own), span(others), gap)) continue
    if (alike(total(own, 'packets'), total(others, 'packets')) && alike(total(own, 'bytes'), total(others, 'bytes')))
      return true
  }
  return false
}

/**
 * Negative if vantage `a` is to be chosen before `b`. Each is the vantage's records of one kind and stretch.
 *
 * Reading: "names an instance_id" means at least one of these records does; bytes that no record knows are fewer than none.
 */
function compareVantages(a: Flow[], b: Flow[], flows: Flow[]): number {
  const trueFirst = (ofA: boolean, ofB: boolean): number => (ofA === ofB ? 0 : ofA ? -1 : 1)
  const moreFirst = (ofA: bigint, ofB: bigint): number => (ofA === ofB ? 0 : ofA > ofB ? -1 : 1)
  const sawBothDirections = (vantage: Flow[]): boolean =>
    flows.some(flow => sameVantage(flow, vantage[0]!) && oppositeKey(flow, vantage[0]!))
  const namesInstance = (vantage: Flow[]): boolean => vantage.some(flow => flow.record.instance_id !== null)
  const sum = (vantage: Flow[], field: 'bytes' | 'packets'): bigint => {
    const known = vantage.map(flow => flow.record[field]).filter(value => value !== null)
    return known.length === 0 ? -1n : known.reduce((total, value) => total + value, 0n)
  }
  return (
    moreFirst(sum(a, 'bytes'), sum(b, 'bytes')) ||
    moreFirst(sum(a, 'packets'), sum(b, 'packets')) ||
    b.length - a.length ||
    trueFirst(sawBothDirections(a), sawBothDirections(b)) ||
    trueFirst(namesInstance(a), namesInstance(b)) ||
    compareNullLast(a[0]!.record.sensor, b[0]!.record.sensor) ||
    compareNullLast(a[0]!.record.subscription, b[0]!.record.subscription)
  )
}

// Section 3 -----------------------------------------------------------------------------------------------------------

function hasSynWithoutAck(flow: Flow): boolean {
  const flags = flow.record.tcp_flags ?? 0
  return (flags & 2) !== 0 && (flags & 16) === 0
}

function hasSynAck(flow: Flow): boolean {
  return ((flow.record.tcp_flags ?? 0) & 18) === 18
}

function hasFinOrRst(flow: Flow): boolean {
  return ((flow.record.tcp_flags ?? 0) & 5) !== 0
}

function compareInChain(a: Flow, b: Flow): number {
  const synFirst = (flow: Flow): number => (hasSynWithoutAck(flow) ? 0 : 1)
  const action = (flow: Flow): number => [null, 'ACCEPT', 'REJECT'].indexOf(flow.record.action)
  const address = (x: bigint, y: bigint): number => (x === y ? 0 : x < y ? -1 : 1)
  return (
    a.record.start - b.record.start ||
    synFirst(a) - synFirst(b) ||
    a.record.end - b.record.end ||
    address(a.esrc, b.esrc) ||
    address(a.edst, b.edst) ||
    (a.record.srcport ?? 0) - (b.record.srcport ?? 0) ||
    (a.record.dstport ?? 0) - (b.record.dstport ?? 0) ||
    (a.record.tcp_flags ?? 0) - (b.record.tcp_flags ?? 0) ||
    action(a) - action(b) ||
    a.record.file - b.record.file ||
    a.record.line - b.record.line
  )
}

/** Connections: each a list of counted records in the order of their chain. */
function connectionsOf(counted: Flow[], intervalAt: (record: OracleRecord) => number): Flow[][] {
  const chains: Flow[][] = []
  for (const flow of counted) {
    const known = chains.find(chain => sameKey(chain[0]!, flow) || oppositeKey(chain[0]!, flow))
    if (known === undefined) chains.push([flow])
    else known.push(flow)
  }
  const connections: Flow[][] = []
  for (const chain of chains) {
    chain.sort(compareInChain)
    let connection: Flow[] = []
    for (let index = 0; index < chain.length; index++) {
      const flow = chain[index]!
      if (index > 0 && startsNewConnection(flow, chain.slice(0, index), intervalAt)) {
        connections.push(connection)
        connection = []
      }
      connection.push(flow)
    }
    connections.push(connection)
  }
  return connections
}

/** "So far" and "earlier" look at the whole chain before the record, not only at the connection at hand. */
function startsNewConnection(flow: Flow, earlier: Flow[], intervalAt: (record: OracleRecord) => number): boolean {
  const W = Math.max(...[...earlier, flow].map(one => intervalAt(one.record))) * second
  const G = W + 60 * second
  const latestEnd = Math.max(...earlier.map(other => other.record.end))
  const silence = flow.record.start - latestEnd
  const lastSyn = earlier.findLastIndex(hasSynWithoutAck)
  const lastFinOrRst = earlier.findLastIndex(hasFinOrRst)
  const closed = lastFinOrRst >= 0 && lastFinOrRst >= lastSyn
  if (hasSynWithoutAck(flow)) return closed || silence > W
  if (silence <= G) return false
  const goesOn = flow.record.protocol === 6 && flow.record.tcp_flags !== null && !closed && silence <= 3600 * second
  return !goesOn
}

// Section 4 -----------------------------------------------------------------------------------------------------------

interface Endpoint {
  address: bigint
  port: number | null
}

interface Judged {
  flows: Flow[]
  protocol: number | null
  client: Endpoint
  server: Endpoint
  rule: number
  basis: OracleRoleBasis
  confidence: number
}

type Decision = Pick<Judged, 'client' | 'server' | 'rule' | 'basis' | 'confidence'>

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port
}

function sourceOf(flow: Flow): Endpoint {
  return { address: flow.esrc, port: flow.record.srcport }
}

function destinationOf(flow: Flow): Endpoint {
  return { address: flow.edst, port: flow.record.dstport }
}

export function hasPorts(protocol: number | null): boolean {
  return protocol === 6 || protocol === 17 || protocol === 132
}

const internalPrefixes = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '::1',
  '169.254.0.0/16',
  'fe80::/10',
  'fc00::/7',
]

function judge(connections: Flow[][], elsewhere: Flow[][], options: OracleOptions): Judged[] {
  const internal = [...internalPrefixes, ...(options.internal ?? [])].map(parsePrefix)
  const bySyn = connections.map(bySynRule)
  const counted = [...connections, ...elsewhere].flat()
  const rest = elsewhere.flatMap(flows => {
    const decision = bySynRule(flows)
    return decision === null ? [] : [{ protocol: flows[0]!.record.protocol, server: decision.server }]
  })
  return connections.map((flows, index) => {
    const protocol = flows[0]!.record.protocol
    const serversElsewhere = rest.filter(one => one.protocol === protocol).map(one => one.server)
    for (let other = 0; other < connections.length; other++) {
      const decision = bySyn[other]!
      if (other === index || decision === null) continue
      if (connections[other]![0]!.record.protocol === protocol) serversElsewhere.push(decision.server)
    }
    const decision =
      bySyn[index] ??
      byKnownListener(flows, serversElsewhere) ??
      byNothingButRst(flows) ??
      byAwsService(flows, internal) ??
      byRejectedAttempt(flows) ??
      byPeers(flows, counted) ??
      byPortNumber(flows) ??
      byFirstSeen(flows) ??
      withoutRule(flows)
    return { flows, protocol, ...decision }
  })
}

/** The two sides of a connection: the source of its first record, and the destination. */
function sidesOf(flows: Flow[]): [Endpoint, Endpoint] {
  return [sourceOf(flows[0]!), destinationOf(flows[0]!)]
}

function sentBy(side: Endpoint, flows: Flow[]): Flow[] {
  return flows.filter(flow => sameEndpoint(sourceOf(flow), side))
}

/** Rule 1. */
function bySynRule(flows: Flow[]): Decision | null {
  const sides = sidesOf(flows)
  const synSides = sides.filter(side => sentBy(side, flows).some(hasSynWithoutAck))
  const synAckSides = sides.filter(side => sentBy(side, flows).some(hasSynAck))
  if (synSides.some(side => synAckSides.includes(side))) return null
  const otherThan = (side: Endpoint): Endpoint => (side === sides[0] ? sides[1] : sides[0])
  if (synSides.length === 1) {
    const client = synSides[0]!
    const confidence = synAckSides.length === 1 ? 0.98 : 0.9
    return { client, server: otherThan(client), rule: 1, basis: 'syn', confidence }
  }
  if (synSides.length === 0 && synAckSides.length === 1) {
    const server = synAckSides[0]!
    return { client: otherThan(server), server, rule: 1, basis: 'syn', confidence: 0.9 }
  }
  return null
}

/** Rule 2. */
function byKnownListener(flows: Flow[], serversElsewhere: Endpoint[]): Decision | null {
  if (!hasPorts(flows[0]!.record.protocol)) return null
  const [a, b] = sidesOf(flows)
  const aIsServer = serversElsewhere.some(server => sameEndpoint(server, a))
  const bIsServer = serversElsewhere.some(server => sameEndpoint(server, b))
  if (aIsServer === bIsServer) return null
  return aIsServer
    ? { client: b, server: a, rule: 2, basis: 'listener', confidence: 0.85 }
    : { client: a, server: b, rule: 2, basis: 'listener', confidence: 0.85 }
}

/** Rule 3. Reading: the names that the records of this connection carry. */
function byAwsService(flows: Flow[], internal: Prefix[]): Decision | null {
  const isService = (name: string | null): boolean => name !== null && name !== 'AMAZON' && name !== 'EC2'
  const carriesName = (side: Endpoint): boolean =>
    flows.some(
      flow =>
        (sameEndpoint(sourceOf(flow), side) && isService(flow.record.pkt_src_aws_service)) ||
        (sameEndpoint(destinationOf(flow), side) && isService(flow.record.pkt_dst_aws_service)),
    )
  const [a, b] = sidesOf(flows)
  if (carriesName(a) === carriesName(b)) return null
  const [server, client] = carriesName(a) ? [a, b] : [b, a]
  if (!liesInOneOf(client.address, internal)) return null
  return { client, server, rule: 3, basis: 'aws-service', confidence: 0.9 }
}

/** Rule 4. */
function byRejectedAttempt(flows: Flow[]): Decision | null {
  const [source, destination] = sidesOf(flows)
  const oneDirection = flows.every(flow => sameEndpoint(sourceOf(flow), source))
  if (!oneDirection || flows[0]!.record.accepted) return null
  return { client: source, server: destination, rule: 4, basis: 'rejected-attempt', confidence: 0.8 }
}

/** RST and nothing else, from one side: the usual trace of a forged source. Nobody knows who connected, if anybody did. */
function byNothingButRst(flows: Flow[]): Decision | null {
  const oneDirection = flows.every(flow => sameEndpoint(sourceOf(flow), sourceOf(flows[0]!)))
  const allRst = flows.every(flow => flow.record.protocol === 6 && flow.record.tcp_flags === 4)
  return oneDirection && allRst ? withoutRule(flows) : null
}

const apart = 2 * second
const probePackets = 3n

/** Rule 5. */
function byPeers(flows: Flow[], counted: Flow[]): Decision | null {
  const protocol = flows[0]!.record.protocol
  if (!hasPorts(protocol)) return null
  const [a, b] = sidesOf(flows)
  const ofA = peersOf(a, protocol, counted)
  const ofB = peersOf(b, protocol, counted)
  const listens = (own: Peers, other: Peers): boolean =>
    own.listens + own.weak >= 3 &&
    own.listens + own.weak >= 3 * (other.listens + other.weak) &&
    (own.calls < 3 || own.listens >= 3 * own.calls)
  const calls = (own: Peers): boolean => own.calls >= 3 && own.calls >= 3 * own.listens
  const aServes = listens(ofA, ofB) || calls(ofB)
  const bServes = listens(ofB, ofA) || calls(ofA)
  if (aServes === bServes) return null
  return aServes
    ? { client: b, server: a, rule: 5, basis: 'listener', confidence: 0.85 }
    : { client: a, server: b, rule: 5, basis: 'listener', confidence: 0.85 }
}

/** Of an endpoint's peers: how many it called, how many called it, and of how many only the ports say that they did. */
interface Peers {
  calls: number
  listens: number
  weak: number
}

function peersOf(endpoint: Endpoint, protocol: number | null, counted: Flow[]): Peers {
  const peers = new Map<string, { port: number | null; sent: OracleRecord[]; got: OracleRecord[] }>()
  if (endpoint.port === null) return { calls: 0, listens: 0, weak: 0 }
  for (const { record, esrc, edst } of counted) {
    if (record.protocol !== protocol) continue
    const note = (address: bigint, port: number | null, way: 'sent' | 'got'): void => {
      const name = `${address} ${port}`
      const peer = peers.get(name) ?? { port, sent: [], got: [] }
      peer[way].push(record)
      peers.set(name, peer)
    }
    if (esrc === endpoint.address && record.srcport === endpoint.port) note(edst, record.dstport, 'sent')
    if (edst === endpoint.address && record.dstport === endpoint.port) note(esrc, record.srcport, 'got')
  }
  const counts: Peers = { calls: 0, listens: 0, weak: 0 }
  for (const peer of peers.values()) {
    const way = whoBegan(endpoint.port, peer.port, peer.sent, peer.got)
    if (way !== null) counts[way]++
  }
  return counts
}

function whoBegan(
  port: number,
  peerPort: number | null,
  sent: OracleRecord[],
  got: OracleRecord[],
): keyof Peers | null {
  const first = (records: OracleRecord[]): number => Math.min(...records.map(record => record.start))
  if (got.length === 0) {
    const known = sent.map(record => record.packets).filter(count => count !== null)
    const packets = known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0n)
    return port >= 1024 && packets !== null && packets <= probePackets ? 'calls' : null
  }
  if (sent.length === 0) return 'listens'
  const lead = first(got) - first(sent)
  if (lead > apart) return 'calls'
  if (-lead > apart) return 'listens'
  if (peerPort === null) return null
  if (peerPort < 1024 && port >= 1024) return 'calls'
  if (port < 1024 && peerPort >= 1024) return 'listens'
  const tier = (number: number): number => [1024, 32768, 49152].filter(border => number >= border).length
  return tier(port) <= tier(peerPort) ? 'weak' : null
}

/** Rule 6. */
function byPortNumber(flows: Flow[]): Decision | null {
  if (!hasPorts(flows[0]!.record.protocol)) return null
  const [a, b] = sidesOf(flows)
  if (a.port === null || b.port === null) return null
  const known = flows.map(flow => flow.record.packets).filter(count => count !== null)
  const isProbe =
    flows.every(flow => sameEndpoint(sourceOf(flow), a)) &&
    known.length > 0 &&
    known.reduce((sum, count) => sum + count, 0n) <= probePackets
  for (const border of isProbe ? [1024] : [1024, 32768, 49152]) {
    if (a.port < border && b.port >= border) {
      return { client: b, server: a, rule: 6, basis: 'port-number', confidence: 0.6 }
    }
    if (b.port < border && a.port >= border) {
      return { client: a, server: b, rule: 6, basis: 'port-number', confidence: 0.6 }
    }
  }
  return null
}

/** Rule 7. The first record of a chain is the earliest, so only its source can be the early side. */
function byFirstSeen(flows: Flow[]): Decision | null {
  const [early, other] = sidesOf(flows)
  const fromOther = sentBy(other, flows)
  const lead = fromOther.length === 0 ? null : fromOther[0]!.record.start - flows[0]!.record.start
  if (lead !== null && lead <= 2 * second) return null
  return { client: early, server: other, rule: 7, basis: 'first-seen', confidence: 0.55 }
}

/** Rule 8. */
function withoutRule(flows: Flow[]): Decision {
  const [a, b] = sidesOf(flows)
  const portOf = (side: Endpoint): number => side.port ?? -1
  const aIsSmaller = portOf(a) === portOf(b) ? a.address < b.address : portOf(a) < portOf(b)
  return aIsSmaller
    ? { client: b, server: a, rule: 8, basis: 'unknown', confidence: 0.5 }
    : { client: a, server: b, rule: 8, basis: 'unknown', confidence: 0.5 }
}

// Section 5 -----------------------------------------------------------------------------------------------------------

/** Services that IANA registers on the default approved ports and some others, as port/protocol. */
const ianaServices = new Set([
  ...['20/6', '21/6', '22/6', '23/6', '25/6', '53/6', '80/6', '110/6', '123/6', '143/6', '443/6', '445/6'],
  ...['3306/6', '3389/6', '5432/6', '8022/6', '8080/6', '8081/6'],
  ...['22/17', '53/17', '80/17', '123/17', '161/17', '443/17', '514/17'],
  ...['22/132', '80/132', '443/132'],
])

function servicesOf(judged: Judged[], prefixes: Prefix[], options: OracleOptions): OracleServiceRow[] {
  const groups: Judged[][] = []
  const sameService = (a: Judged, b: Judged): boolean =>
    a.server.address === b.server.address &&
    servicePort(a) === servicePort(b) &&
    a.protocol === b.protocol &&
    a.client.address === b.client.address
  for (const connection of judged) {
    const known = groups.find(group => sameService(group[0]!, connection))
    if (known === undefined) groups.push([connection])
    else known.push(connection)
  }
  groups.sort(([a], [b]) => compareServices(a!, b!))
  return groups.map(connections => serviceRow(connections, prefixes, options))
}

/** The server's port; null for protocols without ports. */
function servicePort(connection: Judged): number | null {
  return hasPorts(connection.protocol) ? connection.server.port : null
}

function compareServices(a: Judged, b: Judged): number {
  const compare = (x: bigint, y: bigint): number => (x === y ? 0 : x < y ? -1 : 1)
  return (
    compare(a.server.address, b.server.address) ||
    (a.protocol ?? -1) - (b.protocol ?? -1) ||
    (servicePort(a) ?? -1) - (servicePort(b) ?? -1) ||
    compare(a.client.address, b.client.address)
  )
}

function serviceRow(connections: Judged[], prefixes: Prefix[], options: OracleOptions): OracleServiceRow {
  const { server, client, protocol } = connections[0]!
  const port = servicePort(connections[0]!)
  const toServer: Flow[] = []
  const toClient: Flow[] = []
  for (const connection of connections) {
    for (const flow of connection.flows) {
      if (sameEndpoint(destinationOf(flow), connection.server)) toServer.push(flow)
      else toClient.push(flow)
    }
  }
  const all = [...toServer, ...toClient]
  const best = connections.reduce((a, b) =>
    b.confidence > a.confidence || (b.confidence === a.confidence && b.rule < a.rule) ? b : a,
  )
  return {
    server: addressText(server.address),
    port,
    protocol,
    standard: isStandard(port, protocol, options),
    client: addressText(client.address),
    subject_role: subjectRole(liesInOneOf(server.address, prefixes), liesInOneOf(client.address, prefixes)),
    outcome: outcomeOf(toServer, toClient, best.basis),
    records: all.length,
    rejected: all.filter(flow => !flow.record.accepted).length,
    connections: connections.length,
    bytes_to_server: sumOf(toServer, 'bytes', () => true),
    bytes_to_client: sumOf(toClient, 'bytes', () => true),
    packets_to_server: sumOf(toServer, 'packets', () => true),
    packets_to_client: sumOf(toClient, 'packets', () => true),
    at_least: all.some(({ record }) => record.accepted && (record.bytes === null || record.packets === null)),
    first_start: isoTime(Math.min(...all.map(flow => flow.record.start))),
    last_end: isoTime(Math.max(...all.map(flow => flow.record.end))),
    role_basis: best.basis,
    role_confidence: best.confidence,
    role_rule: best.rule,
  }
}

function isStandard(port: number | null, protocol: number | null, options: OracleOptions): boolean | null {
  if (port === null || protocol === null) return null
  const approved = options.approved_ports ?? [22, 53, 80, 123, 443]
  const registered = options.registered ?? ((number, ofProtocol) => ianaServices.has(`${number}/${ofProtocol}`))
  return approved.includes(port) && registered(port, protocol)
}

function subjectRole(serverIsSubject: boolean, clientIsSubject: boolean): OracleServiceRow['subject_role'] {
  if (serverIsSubject && clientIsSubject) return 'both'
  if (serverIsSubject) return 'server'
  if (clientIsSubject) return 'client'
  return 'transit'
}

function outcomeOf(toServer: Flow[], toClient: Flow[], basis: OracleRoleBasis): OracleOutcome {
  const acceptedToServer = toServer.filter(flow => flow.record.accepted)
  const acceptedToClient = toClient.filter(flow => flow.record.accepted)
  if (acceptedToServer.length === 0 && acceptedToClient.length === 0) return 'rejected'
  if (acceptedToClient.length === 0) return 'unanswered'
  if (acceptedToServer.length === 0 && basis === 'unknown') return 'unanswered'
  return acceptedToClient.every(flow => flow.record.tcp_flags === 4) ? 'refused' : 'answered'
}

/** Distinct services with a row of that outcome; one service can stand under several outcomes (different clients). */
function serviceKeys(services: OracleServiceRow[], outcome: OracleOutcome): OracleServiceKey[] {
  const keys: OracleServiceKey[] = []
  for (const { server, port, protocol, outcome: ofRow } of services) {
    if (ofRow !== outcome) continue
    const known = keys.some(key => key.server === server && key.port === port && key.protocol === protocol)
    if (!known) keys.push({ server, port, protocol })
  }
  return keys
}

// Section 6 -----------------------------------------------------------------------------------------------------------

/**
 * Reading: the ends of a SKIPDATA interval belong to it, so touching the window is overlapping it; a hole lies between
 * two instants that are covered, so touching is not. A subject without records has no window, and what has no known
 * time counts as inside: then everything is listed.
 */
function gapsOf(evidence: OracleEvidence, window: Window | null): OracleGap[] {
  const gaps: OracleGap[] = []

  if (evidence.records.length > 0 && evidence.records.every(record => record.action === 'REJECT'))
    gaps.push({ sensor: null, from: null, to: null, reason: 'rejected-only', path: null })

  for (const line of evidence.skip_data) {
    if (window !== null && (line.end < window.first_start || line.start > window.last_end)) continue
    const gap: OracleGap = {
      sensor: line.sensor,
      from: isoTime(line.start),
      to: isoTime(line.end),
      reason: 'skipdata',
      path: null,
    }
    // Two lines about one interval of a sensor (overlapping subscriptions) are one gap.
    const known = gaps.some(other => other.sensor === gap.sensor && other.from === gap.from && other.to === gap.to)
    if (!known) gaps.push(gap)
  }

  const sensorLines = [...evidence.records, ...evidence.no_data, ...evidence.skip_data]
  const sensors = [...new Set(sensorLines.map(line => line.sensor))].sort(compareNullLast)
  for (const sensor of sensors) {
    const intervals = sensorLines.filter(line => line.sensor === sensor).sort((a, b) => a.start - b.start)
    const records = evidence.records.filter(record => record.sensor === sensor)
    const longestHole = 2 * intervalSeconds(records) * second
    let coveredTo = intervals[0]!.end
    for (const interval of intervals) {
      const isHole = interval.start - coveredTo > longestHole
      if (isHole && (window === null || (coveredTo < window.last_end && interval.start > window.first_start))) {
        gaps.push({ sensor, from: isoTime(coveredTo), to: isoTime(interval.start), reason: 'time-gap', path: null })
      }
      coveredTo = Math.max(coveredTo, interval.end)
    }
  }

  for (const file of evidence.files) {
    const timesKnown = file.first_start_ms !== null && file.last_end_ms !== null
    const outside =
      window !== null &&
      timesKnown &&
      (file.last_end_ms! < window.first_start || file.first_start_ms! > window.last_end)
    if (outside) continue
    const gap = { sensor: null, from: file.first_start, to: file.last_end, path: file.path }
    if (file.malformed > 0) gaps.push({ ...gap, reason: 'malformed-lines' })
    if (file.status === 'unreadable') gaps.push({ ...gap, reason: 'unreadable-file' })
    if (file.status === 'partly-read') gaps.push({ ...gap, reason: 'partly-read-file' })
  }
  return gaps
}
