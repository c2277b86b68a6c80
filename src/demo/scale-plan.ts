import { UserError } from '../errors.ts'
import { WINDOW_SECONDS } from './conversation.ts'
import { type IncidentTotals, LAB_ATTACKER_RECORDS, LAB_OUTWARD_BYTES, LAB_WEB_BYTES } from './incident.ts'
import { BIN_SECONDS, DAY_END, logFileName, type Sensor, WEB_SERVER } from './network.ts'
import { Random } from './random.ts'

/** Flow records of the lab: below this size the attacker keeps its share, above it the share falls. */
const LAB_RECORDS = 172619
const FULL_DAY_RECORDS = 20_000_000
const LAB_BINS = 84
const DAY_BINS = 288
const MOST_SENSORS = 480
const WINDOWS_PER_BIN = BIN_SECONDS / WINDOW_SECONDS

/** What is decided about a scaled data set before anything is written. */
export interface ScalePlan {
  seed: number
  /** Flow records in all, the attacker's among them, NODATA rows not. */
  records: number
  files: number
  /** Five-minute spans covered, each by one file or more. */
  bins: number
  /** First second covered. */
  first_second: number
  incident: IncidentTotals
  /** Interfaces with traffic in every window; the first is the web server. */
  busy: Sensor[]
  /** Interfaces without any traffic. */
  quiet: Sensor[]
  /** Records that are neither the attacker's nor an interface's one log message per window. */
  background: number
}

/** Plans a data set of `records` flow records. Without `files`, about one file for 10,000 records. */
export function planScale(seed: number, records: number, files?: number): ScalePlan {
  if (!Number.isInteger(records) || records < 1000 || records > 100_000_000) {
    throw new UserError(`records must be a whole number from 1000 to 100000000, not ${records}`, { status: 2 })
  }
  const bins = binsFor(records)
  const fileCount = files ?? Math.max(bins, Math.round(records / 10_000))
  if (!Number.isInteger(fileCount) || fileCount < bins || fileCount > records) {
    const most = `${bins} (one for every 5 minutes) to ${records}`
    throw new UserError(`files must be a whole number from ${most}, not ${fileCount}`, { status: 2 })
  }
  const incident = incidentFor(records)
  const windows = bins * WINDOWS_PER_BIN
  const affordable = Math.floor((0.3 * (records - incident.records)) / windows)
  const busyCount = Math.max(1, Math.min(Math.round((4 * records) / LAB_RECORDS), MOST_SENSORS, affordable))
  const quietCount = Math.max(1, Math.round(busyCount / 25))
  const sensors = makeSensors(seed, busyCount + quietCount)
  return {
    seed,
    records,
    files: fileCount,
    bins,
    first_second: DAY_END + 1 - bins * BIN_SECONDS,
    incident,
    busy: sensors.slice(0, busyCount),
    quiet: sensors.slice(busyCount),
    background: records - incident.records - busyCount * windows,
  }
}

/** Seven hours up to the lab's size, growing to a whole day at twenty million records. */
function binsFor(records: number): number {
  const grown = Math.log2(records / LAB_RECORDS) / Math.log2(FULL_DAY_RECORDS / LAB_RECORDS)
  return Math.round(LAB_BINS + (DAY_BINS - LAB_BINS) * Math.min(1, Math.max(0, grown)))
}

/**
 * The attacker's part: 19 % of the records up to the lab's size; beyond it, growing with the power 0.38,
 * so that twenty million records hold some 202,000 of the attacker and a hundred million some 372,000.
 */
function incidentFor(records: number): IncidentTotals {
  const ratio = records / LAB_RECORDS
  const share = ratio <= 1 ? ratio : ratio ** 0.38
  const own = 2 * Math.round((LAB_ATTACKER_RECORDS * share) / 2)
  const scaled = (bytes: number): number => Math.round((bytes * own) / LAB_ATTACKER_RECORDS)
  return { records: own, web_bytes: scaled(LAB_WEB_BYTES), outward_bytes: scaled(LAB_OUTWARD_BYTES) }
}

function makeSensors(seed: number, count: number): Sensor[] {
  const random = new Random(seed, 3)
  const others = Array.from({ length: count - 1 }, (_, i) => ({
    interface_id: `eni-0${random.hex(16)}`,
    instance_id: `i-0${random.hex(16)}`,
    address: `10.130.${16 + Math.floor(i / 240)}.${4 + (i % 240)}`,
    role: 'server',
    window_offset: random.below(WINDOW_SECONDS),
  }))
  return [WEB_SERVER, ...others]
}

/** The five-minute span that a file belongs to, counted from 0. */
export function binOfFile(plan: ScalePlan, file: number): number {
  return Math.floor((file * plan.bins) / plan.files)
}

/** The files of a five-minute span: the first one, and how many. */
export function filesOfBin(plan: ScalePlan, bin: number): { first: number; count: number } {
  const first = Math.ceil((bin * plan.files) / plan.bins)
  return { first, count: Math.ceil(((bin + 1) * plan.files) / plan.bins) - first }
}

/** First second of a five-minute span. */
export function startOfBin(plan: ScalePlan, bin: number): number {
  return plan.first_second + bin * BIN_SECONDS
}

/** Background records of one file; over all files they add up to the plan's. */
export function backgroundOf(plan: ScalePlan, file: number): number {
  const upTo = (n: number): number => Math.floor((plan.background * n) / plan.files)
  return upTo(file + 1) - upTo(file)
}

/** Name of a file. */
export function scaledFileName(plan: ScalePlan, file: number): string {
  const hash = new Random(plan.seed, 0x10000000 + file).hex(8)
  return logFileName(startOfBin(plan, binOfFile(plan, file)), hash)
}
