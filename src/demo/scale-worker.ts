/** Makes and writes the files of a scaled data set, one at a time, as the main thread asks for them. */
import { parentPort, workerData } from 'node:worker_threads'
import { writeLogFile } from './log-file.ts'
import { ScaledFileMaker } from './scale-file.ts'
import type { ScaleTask } from './scale-incident.ts'
import { planScale, scaledFileName } from './scale-plan.ts'

const GZIP_LEVEL = 6

/** Asks for one file. */
export interface FileRequest {
  file: number
  incident: Float64Array<ArrayBuffer>
}

/** Says what one file added to the totals. */
export interface FileReport {
  records: number
  no_data: number
  first_start: number
  last_end: number
  raw_bytes: number
  packed_bytes: number
  rows_by_sensor: Uint32Array
}

const task = workerData as ScaleTask
const plan = planScale(task.seed, task.records, task.files)
const maker = new ScaledFileMaker(plan)

parentPort?.on('message', async ({ file, incident }: FileRequest) => {
  const { content, ...counts } = maker.make(file, incident)
  const packed_bytes = await writeLogFile(task.folder, scaledFileName(plan, file), content, GZIP_LEVEL)
  const report: FileReport = { ...counts, raw_bytes: content.length, packed_bytes }
  parentPort?.postMessage(report)
})
