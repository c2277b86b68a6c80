/** The reconstruction of the Lab 1.3 incident: its files, and the case that is made of them. */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { GroundTruth } from '../demo/ground-truth.ts'
import { LAB_FOLDER } from '../demo/lab.ts'
import { outputFolder } from '../disk/output.ts'
import { errorCode, exitStatus, UserError } from '../errors.ts'
import { integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { readInto } from './add.ts'
import { evidenceIn } from './named-output.ts'
import { note } from './output.ts'
import { startBar } from './progress.ts'

export interface DemoOptions {
  /** Folder of the files. */
  out: string
  seed: number
  /** Flow records instead of the lab's. */
  records?: number
  files?: number
}

/** Where the files are. */
export interface WrittenDemo {
  folder: string
  capture: string | null
  /** How many there are, with the capture. */
  files: number
}

const labLines = 173_198

/** Writes the files, unless they are there already, and notes where. */
export async function writeDemo(options: DemoOptions, signal: AbortSignal): Promise<WrittenDemo> {
  const { out } = options
  const folder = join(out, LAB_FOLDER)
  await checkSizes(options)
  outputFolder(out, '--out')
  const truth = (await writtenBefore(options, folder)) ?? (await generate(options, signal))
  const size = `${integerText(truth.files)} files with ${integerText(truth.records)} flow records`
  await note(`tidemark: reconstructed data in ${visible(folder)}: ${size}`)
  if (truth.capture === undefined) return { folder, capture: null, files: truth.files }
  const capture = join(out, truth.capture.file)
  const captured = `${integerText(truth.capture.packets)} packets of the same incident`
  await note(`tidemark: reconstructed data in ${visible(capture)}: ${captured}`)
  return { folder, capture, files: truth.files + 1 }
}

/** Before a folder is made. @throws UserError for sizes that the generator does not take. */
async function checkSizes({ seed, records, files }: DemoOptions): Promise<void> {
  if (records === undefined) return
  const { planScale } = await import('../demo/scale-plan.ts')
  planScale(seed, records, files)
}

/** Reads the files into a case; a case of the demo's own is made again. */
export async function readDemo(
  written: WrittenDemo,
  caseDir: string,
  isOwnCase: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { folder, capture } = written
  if (isOwnCase) await rm(caseDir, { recursive: true, force: true })
  await readInto(caseDir, capture === null ? [folder] : [folder, capture], {}, signal)
  signal.throwIfAborted()
}

/** Whether a case holds all of the demo's files: it may hold more, and what the analyst noted. */
export async function holdsDemo(written: WrittenDemo, caseDir: string): Promise<boolean> {
  const folder = `${resolve(written.folder)}${sep}`
  const capture = written.capture === null ? null : resolve(written.capture)
  const own = (await evidenceIn(caseDir)).filter(({ path, status }) => {
    return status === 'read' && (path.startsWith(folder) || path === capture)
  })
  return new Set(own.map(({ path }) => path)).size === written.files
}

/** The demo makes its case again each time: one that the analyst has added to is not the demo's alone. */
export async function refuseForeignCase(caseDir: string, out: string): Promise<void> {
  const own = `${resolve(out)}${sep}`
  const other = (await evidenceIn(caseDir)).find(file => !file.path.startsWith(own))
  if (other === undefined) return
  throw new UserError(`the demo's case holds other evidence: ${other.path}`, {
    hint: `it is left as it is: ${caseDir}; name another folder with --out, or another case with --case`,
    status: exitStatus.usage,
  })
}

/** What the folder holds, if it is what would be written now; else null. */
async function writtenBefore(options: DemoOptions, folder: string): Promise<GroundTruth | null> {
  try {
    const truth: GroundTruth = JSON.parse(await readFile(join(options.out, 'ground-truth.json'), 'utf8'))
    const names = await readdir(folder)
    const { capture } = truth
    const captured = capture && (await stat(join(options.out, capture.file))).size
    return isWanted(truth, options) && names.length === truth.files && captured === capture?.bytes ? truth : null
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof TypeError) return null
    throw error
  }
}

function isWanted(truth: GroundTruth, { seed, records, files }: DemoOptions): boolean {
  if (truth.seed !== seed) return false
  if (records === undefined) return truth.lines === labLines && truth.capture !== undefined
  return truth.records === records && (files === undefined || truth.files === files)
}

async function generate(options: DemoOptions, signal: AbortSignal): Promise<GroundTruth> {
  const { out, seed, records, files } = options
  const bar = await startBar('writing')
  const onProgress = (p: { files_done: number; files: number }) =>
    bar.update(p.files_done, p.files, `${integerText(p.files_done)} of ${integerText(p.files)} files`)
  const common = { seed, signal, onProgress }
  try {
    if (records === undefined) {
      const { writeLab } = await import('../demo/lab.ts')
      return await writeLab(out, common)
    }
    const { writeScaled } = await import('../demo/scale.ts')
    return await writeScaled(out, { ...common, records, ...(files !== undefined && { files }) })
  } finally {
    bar.stop()
  }
}
