/**
 * Writes flow logs like the lab's in any size from a thousand to a hundred million records.
 *
 * Like the lab's, these logs are RECONSTRUCTED: the same attacker does the same things between the same
 * two moments, its volume grown or shrunk; everything around it is made up.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { threadsThatFit } from '../address-space.ts'
import { type GroundTruth, writeTruth } from './ground-truth.ts'
import { type GeneratorOptions, LAB_FOLDER, prepareFolder } from './lab.ts'
import type { IncidentPlan, ScaleTask } from './scale-incident.ts'
import { planScale, type ScalePlan } from './scale-plan.ts'
import type { FileReport, FileRequest } from './scale-worker.ts'

/** `records` counts flow records, NODATA rows come on top; `files` is about records / 10,000 unless given. */
export interface ScaleOptions extends GeneratorOptions {
  records: number
  files?: number
  /** Threads that write; the files do not depend on it. */
  workers?: number
}

const MOST_WORKERS = 8
/** Files that a worker holds at a time: one that it packs while it makes the next. */
const FILES_IN_HAND = 2
/** Makes threads collect their garbage early: at a hundred million records all of them stay below 500 MB. */
const SMALL_HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 400 }

const about = (records: number): string => `Flow logs in the manner of "Lab 1.3", ${records} records, RECONSTRUCTED

The files in ${LAB_FOLDER}/ were generated: the attacker's conduct follows the published figures
of the exercise, scaled; every other value is made up. No address in them stands for a real event.

ground-truth.json holds what the generator wrote, counted from its plan.
`

/**
 * Writes `20230928/` with the log files, `ground-truth.json` and `README.txt` into `outDir`.
 * Each file depends on the seed, the sizes and its number alone. The folder must be new, or hold the same kind of set.
 */
export async function writeScaled(outDir: string, options: ScaleOptions): Promise<GroundTruth> {
  const { seed = 1, records, files, signal, onProgress } = options
  signal?.throwIfAborted()
  const plan = planScale(seed, records, files)
  const folder = join(outDir, LAB_FOLDER)
  await prepareFolder(outDir, folder, about(records))
  const task: ScaleTask = { folder, seed, records, files: plan.files }
  const { attacker, by_file } = await planInThread(task, signal)
  const requests = by_file.map((incident, file) => ({ file, incident }))
  const truth = emptyTruth(plan)

  let files_done = 0
  const wanted = Math.min(options.workers ?? availableParallelism(), MOST_WORKERS, plan.files)
  const threads = threadsThatFit(wanted)
  await writeInThreads(threads, task, requests, signal, report => {
    addReport(truth, plan, report)
    onProgress?.({ files_done: ++files_done, files: plan.files })
  })
  const complete = { ...truth, lines: truth.header_lines + truth.records + truth.no_data, attacker }
  if (complete.records !== records) throw new Error(`wrote ${complete.records} records, not ${records}`)
  await writeTruth(outDir, complete, about(records))
  return complete
}

/** Plans the attacker's records in a thread that is gone afterwards. */
function planInThread(task: ScaleTask, signal: AbortSignal | undefined): Promise<IncidentPlan> {
  const options = { workerData: task, resourceLimits: SMALL_HEAP }
  const worker = new Worker(new URL('./scale-incident.js', import.meta.url), options)
  const planned = new Promise<IncidentPlan>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', resolve)
  })
  return endingWith([worker], signal, planned)
}

/** Waits for the work, then ends its threads; also when it fails or is aborted. */
async function endingWith<T>(workers: Worker[], signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  let abort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason)
    signal?.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal?.removeEventListener('abort', abort)
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}

/** Deals the files out to worker threads, each asking for its next when it has written one. */
function writeInThreads(
  count: number,
  task: ScaleTask,
  requests: FileRequest[],
  signal: AbortSignal | undefined,
  onReport: (report: FileReport) => void,
): Promise<void> {
  const queue = requests.values()
  const url = new URL('./scale-worker.js', import.meta.url)
  const options = { workerData: task, resourceLimits: SMALL_HEAP }
  const workers = Array.from({ length: count }, () => new Worker(url, options))
  let missing = requests.length
  const written = new Promise<void>((resolve, reject) => {
    for (const worker of workers) {
      const ask = (): void => {
        const { value } = queue.next()
        if (value) worker.postMessage(value, [value.incident.buffer])
      }
      worker.on('error', reject)
      worker.on('message', (report: FileReport) => {
        onReport(report)
        ask()
        if (--missing === 0) resolve()
      })
      for (let held = 0; held < FILES_IN_HAND; held++) ask()
    }
  })
  return endingWith(workers, signal, written)
}

function emptyTruth(plan: ScalePlan): Omit<GroundTruth, 'attacker'> {
  const sensors = [...plan.busy, ...plan.quiet].map(({ interface_id, instance_id, address, role }) => {
    return { interface_id, instance_id, address, role, records: 0, no_data: 0 }
  })
  return {
    seed: plan.seed,
    files: plan.files,
    lines: 0,
    header_lines: plan.files,
    records: 0,
    no_data: 0,
    skip_data: 0,
    first_start: Number.MAX_SAFE_INTEGER,
    last_end: 0,
    raw_bytes: 0,
    packed_bytes: 0,
    sensors,
  }
}

function addReport(truth: Omit<GroundTruth, 'attacker'>, plan: ScalePlan, report: FileReport): void {
  for (const key of ['records', 'no_data', 'raw_bytes', 'packed_bytes'] as const) truth[key] += report[key]
  truth.first_start = Math.min(truth.first_start, report.first_start)
  truth.last_end = Math.max(truth.last_end, report.last_end)
  report.rows_by_sensor.forEach((rows, i) => {
    truth.sensors[i]![i < plan.busy.length ? 'records' : 'no_data'] += rows
  })
}
