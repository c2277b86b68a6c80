/**
 * Writes the Lab 1.3 exercise: 579 VPC flow log files of 28 September 2023.
 *
 * The exercise's own data is not public. What this module writes is RECONSTRUCTED from its published
 * figures: the counts, byte sums, times and services are the published ones, every other value is made up.
 * One published figure is met by the median only, "about 32 KB unpacked": lines of these 20 fields take some
 * 160 bytes, so 173,198 of them in 579 files come to 48 KB on average.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exitStatus, UserError } from '../errors.ts'
import { FIRST_SCANNER, LAB_SENSORS, labBackground } from './background.ts'
import { CAPTURE_FILE, writeCapture } from './capture.ts'
import type { Conversation } from './conversation.ts'
import { attackerTruth, type FileTruth, type GroundTruth, writeTruth } from './ground-truth.ts'
import { LAB_ATTACKER_RECORDS, LAB_OUTWARD_BYTES, LAB_WEB_BYTES, planIncident } from './incident.ts'
import { writeLogFile } from './log-file.ts'
import { BIN_SECONDS, CARELESS_MATCH, FIELDS, LAB_START, logFileName, WEB_SERVER } from './network.ts'
import { Random } from './random.ts'
import { type LogRow, lineOf, recordsAt } from './record.ts'

/** How far the writing has come. */
export interface Progress {
  files_done: number
  files: number
}

/** What both generators take. The same seed gives the same files. */
export interface GeneratorOptions {
  seed?: number
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
}

/** Name of the lab's log folder. */
export const LAB_FOLDER = '20230928'

const LAB_FILES = 579
const LAB_ROWS = 173198 - LAB_FILES
const LAST_FILE_HASH = 'e92fb168'
const GZIP_LEVEL = 6

const ABOUT = `Flow logs of "Lab 1.3", RECONSTRUCTED

The data of this exercise is not public. The files in ${LAB_FOLDER}/ were generated so that the
published figures come out exactly; every other value in them is made up.
No address in them stands for a real event.

${CAPTURE_FILE} is made up too: an hour of the same incident in packets, which agree with the logs.
ground-truth.json holds what the generator wrote, counted from its plan.
`

/** The attacker's conversations as the lab's web server sees them, in order of their start. */
export function labConversations(seed = 1): Conversation[] {
  const published = { records: LAB_ATTACKER_RECORDS, web_bytes: LAB_WEB_BYTES, outward_bytes: LAB_OUTWARD_BYTES }
  return planIncident(seed, published)
}

/**
 * Writes `20230928/` with 579 gzip files, `investigate.pcap`, `ground-truth.json` and `README.txt` into `outDir`.
 * Files of an earlier reconstruction there are replaced; any other content makes it fail.
 */
export async function writeLab(outDir: string, options: GeneratorOptions = {}): Promise<GroundTruth> {
  const { seed = 1, signal, onProgress } = options
  const folder = join(outDir, LAB_FOLDER)
  await prepareFolder(outDir, folder, ABOUT, [CAPTURE_FILE])
  const conversations = labConversations(seed)
  const random = new Random(seed, 2)
  const incident = conversations.flatMap(conversation => recordsAt(WEB_SERVER, conversation))
  const rows: LogRow[] = [...incident, ...labBackground(random, LAB_ROWS - incident.length)]
  const files = distribute(random, rows)

  const per_file: FileTruth[] = []
  let matches = 0
  let raw_bytes = 0
  let packed_bytes = 0
  for (const [name, rows] of files) {
    signal?.throwIfAborted()
    const lines = rows.map(lineOf)
    matches += lines.filter(line => CARELESS_MATCH.test(line)).length
    const content = Buffer.from(`${[FIELDS, ...lines].join('\n')}\n`, 'latin1')
    raw_bytes += content.length
    packed_bytes += await writeLogFile(folder, name, content, GZIP_LEVEL)
    const no_data = rows.filter(row => 'no_data' in row).length
    per_file.push({ name, lines: rows.length + 1, records: rows.length - no_data, no_data })
    onProgress?.({ files_done: per_file.length, files: files.length })
  }
  if (matches !== incident.length) throw new Error(`a careless match finds ${matches} lines, not ${incident.length}`)
  const truth = { ...summary(seed, rows, per_file), raw_bytes, packed_bytes, attacker: attackerTruth(conversations) }
  const capture = await writeCapture(outDir, rows, seed, { signal })
  const complete = { ...truth, sensors: sensorTruth(rows), capture, per_file }
  await writeTruth(outDir, complete, ABOUT)
  return complete
}

/**
 * Makes the folder, clears it and the named files beside it of an earlier reconstruction, and refuses to touch
 * anything else. What README.txt says in its first line tells whose they are.
 */
export async function prepareFolder(
  outDir: string,
  folder: string,
  about: string,
  files: string[] = [],
): Promise<void> {
  const present = await readdir(folder).catch(() => [])
  // What is written, or what the demo makes of it: all of it may be somebody's who knows nothing of a reconstruction.
  const names = [...files, 'README.txt', 'ground-truth.json', 'case.tidemark']
  const beside = (await readdir(outDir).catch(() => [])).filter(name => names.includes(name))
  const readme = await readFile(join(outDir, 'README.txt'), 'utf8').catch(() => '')
  if (present.length + beside.length > 0 && readme.split('\n')[0] !== about.split('\n')[0]) {
    const which = present.length > 0 ? folder : join(outDir, beside[0]!)
    throw new UserError(`something else is there, which is not a reconstruction: ${which}`, {
      hint: 'name an empty or new folder with --out',
      status: exitStatus.usage,
    })
  }
  await mkdir(folder, { recursive: true })
  // Removed first: nothing is written through a link.
  for (const name of ['README.txt', 'ground-truth.json', ...files]) await rm(join(outDir, name), { force: true })
  await writeFile(join(outDir, 'README.txt'), about)
  for (const name of present) if (name.endsWith('.log.gz')) await rm(join(folder, name))
}

/** Sorts the rows into files by the five minutes their end lies in, several files of uneven size for each. */
function distribute(random: Random, rows: LogRow[]): [name: string, rows: LogRow[]][] {
  const bins = new Map<number, LogRow[]>()
  for (const row of rows) {
    const bin = row.end - (row.end % BIN_SECONDS)
    const held = bins.get(bin)
    if (held) held.push(row)
    else bins.set(bin, [row])
  }
  const ordered = [...bins].sort(([a], [b]) => a - b)
  const fileCounts = proportional(
    ordered.map(([, held]) => held.length),
    LAB_FILES,
  )
  return ordered.flatMap(([bin, held], i) => {
    const count = fileCounts[i]!
    const isLast = i === ordered.length - 1
    const hashes = Array.from({ length: count }, (_, n) => (isLast && n === 0 ? LAST_FILE_HASH : random.hex(8)))
    const weights = hashes.map(() => 8 + random.skewed(0, 120))
    const sizes = proportional(weights, held.length)
    random.shuffle(held)
    if (bin === LAB_START) putFirstRecords(held)
    let from = 0
    return hashes.sort().map((hash, n): [string, LogRow[]] => {
      const part = held.slice(from, from + sizes[n]!)
      from += sizes[n]!
      return [logFileName(bin, hash), part]
    })
  })
}

/** The very first records: a rejected scanner, then accepted traffic of the web server. */
function putFirstRecords(rows: LogRow[]): void {
  const bring = (to: number, wanted: (row: LogRow) => boolean): void => {
    const from = rows.findIndex((row, i) => i >= to && wanted(row))
    rows.splice(to, 0, ...rows.splice(from, 1))
  }
  bring(0, row => 'srcaddr' in row && row.srcaddr === FIRST_SCANNER)
  bring(1, row => 'srcaddr' in row && row.dstaddr === WEB_SERVER.address && row.action === 'ACCEPT')
  bring(2, row => 'srcaddr' in row && row.srcaddr === WEB_SERVER.address && row.action === 'ACCEPT')
}

/** Whole shares of `total` in proportion to the weights, none below 1, which add up to `total` exactly. */
function proportional(weights: number[], total: number): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  const shares = weights.map(weight => Math.max(1, Math.floor((weight * total) / sum)))
  let missing = total - shares.reduce((a, b) => a + b, 0)
  for (let i = 0; missing !== 0; i = (i + 1) % shares.length) {
    if (missing < 0 && shares[i]! <= 1) continue
    shares[i]! += Math.sign(missing)
    missing -= Math.sign(missing)
  }
  return shares
}

function summary(seed: number, rows: LogRow[], per_file: FileTruth[]) {
  const records = rows.filter(row => !('no_data' in row))
  return {
    seed,
    files: per_file.length,
    lines: rows.length + per_file.length,
    header_lines: per_file.length,
    records: records.length,
    no_data: rows.length - records.length,
    skip_data: 0,
    first_start: records.reduce((first, row) => Math.min(first, row.start), Number.MAX_SAFE_INTEGER),
    last_end: records.reduce((last, row) => Math.max(last, row.end), 0),
  }
}

function sensorTruth(rows: LogRow[]): GroundTruth['sensors'] {
  return LAB_SENSORS.map(({ interface_id, instance_id, address, role }) => {
    const own = rows.filter(row => row.sensor.interface_id === interface_id)
    const no_data = own.filter(row => 'no_data' in row).length
    return { interface_id, instance_id, address, role, records: own.length - no_data, no_data }
  })
}
