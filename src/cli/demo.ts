import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import type { Command } from 'commander'
import type { GroundTruth } from '../demo/ground-truth.ts'
import { errorCode, exitStatus, UserError } from '../errors.ts'
import { integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { readInto } from './add.ts'
import { Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import { investigateCase, reportUnreadOf } from './investigate.ts'
import { evidenceIn } from './named-output.ts'
import { type CommonOptions, parseCount, parseFolder, parseSeed } from './options.ts'
import { note, print, printPage } from './output.ts'
import { startBar } from './progress.ts'
import { quoted } from './shell-words.ts'

interface Options extends CommonOptions {
  out: string
  seed: number
  records?: number
  files?: number
  generateOnly?: true
}

const attacker = '20.106.124.93'
const labLines = 173_198

/** Defines `tidemark demo`. */
export function demoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('Write a reconstruction of the Lab 1.3 incident, read it into a case and investigate the attacker.')
    .addOption(new Option('--out <dir>', 'folder to write').default('tidemark-demo').argParser(parseFolder))
    .addOption(new Option('--records <n>', 'flow records instead of the lab’s, e.g. 1M').argParser(parseCount))
    .addOption(new Option('--files <n>', 'files to spread --records over').argParser(parseCount))
    .addOption(new Option('--seed <n>', 'same seed, same files').argParser(parseSeed).default(1))
    .option('--generate-only', 'write the files and stop')
    .option('--json', 'print the dossier as one JSON document')
    .addHelpText('after', demoHelp)
    .action(async () => {
      const options = command.optsWithGlobals<Options>()
      if (options.files !== undefined && options.records === undefined) {
        command.error("error: option '--files <n>' needs '--records <n>'", { exitCode: 2 })
      }
      // A case of the environment is a real one: the demo stays out of it.
      const isOwnCase = command.getOptionValueSourceWithGlobals('case') !== 'cli'
      const caseDir = isOwnCase ? join(options.out, 'case.tidemark') : options.case
      await interruptible(signal => demonstrate(options, caseDir, isOwnCase, signal))
    })
}

const demoHelp = `
The data of the exercise is not public: the files are generated from its published figures.

Examples:
  tidemark demo
  tidemark demo --out /tmp/big --records 5M
  tidemark demo --generate-only --out lab --seed 7`

async function demonstrate(options: Options, caseDir: string, isOwnCase: boolean, signal: AbortSignal): Promise<void> {
  const { LAB_FOLDER } = await import('../demo/lab.ts')
  const folder = join(options.out, LAB_FOLDER)
  const { outputFolder } = await import('../disk/output.ts')
  outputFolder(options.out, '--out')
  if (isOwnCase && !options.generateOnly) await refuseForeignCase(caseDir, options.out)
  const truth = (await writtenBefore(options, folder)) ?? (await generate(options, signal))
  const size = `${integerText(truth.files)} files with ${integerText(truth.records)} flow records`
  await note(`tidemark: reconstructed data in ${visible(folder)}: ${size}`)
  const { capture } = truth
  const captured = capture && `${integerText(capture.packets)} packets of the same incident`
  if (capture) await note(`tidemark: reconstructed data in ${visible(join(options.out, capture.file))}: ${captured}`)
  if (options.generateOnly) return
  if (isOwnCase) await rm(caseDir, { recursive: true, force: true })
  await readInto(caseDir, capture ? [folder, join(options.out, capture.file)] : [folder], {}, signal)
  signal.throwIfAborted()
  const dossier = await investigateCase(caseDir, [attacker], {}, signal)
  if (options.json) {
    const [{ toJson }, { dossierJson }] = await Promise.all([
      import('../report/json.ts'),
      import('../report/dossier-json.ts'),
    ])
    await print(toJson(dossierJson(dossier)))
    return reportUnreadOf(dossier, 'see "problems" in the JSON document')
  }
  const { dossierPage } = await import('../report/dossier.ts')
  await print(`Reconstructed data: generated from the published figures of the Lab 1.3 exercise.\n\n`)
  await printPage(dossierPage(dossier, { showWork: false, full: false }), options.color)
  const next = whatNext(folder, caseDir, capture && join(options.out, capture.file))
  await print(next.split('\n').map(visible).join('\n'))
  // A case that --case named may hold more than the demo.
  await reportUnreadOf(dossier, 'tidemark evidence --json lists them all')
}

/** The demo makes its case again each time: one that the analyst has added to is not the demo's alone. */
async function refuseForeignCase(caseDir: string, out: string): Promise<void> {
  const own = `${resolve(out)}${sep}`
  const other = (await evidenceIn(caseDir)).find(file => !file.path.startsWith(own))
  if (other === undefined) return
  throw new UserError(`the demo's case holds other evidence: ${other.path}`, {
    hint: `it is left as it is: ${caseDir}; name another folder with --out, or another case with --case`,
    status: exitStatus.usage,
  })
}

/** What the folder holds, if it is what would be written now; else null. */
async function writtenBefore(options: Options, folder: string): Promise<GroundTruth | null> {
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

function isWanted(truth: GroundTruth, { seed, records, files }: Options): boolean {
  if (truth.seed !== seed) return false
  if (records === undefined) return truth.lines === labLines && truth.capture !== undefined
  return truth.records === records && (files === undefined || truth.files === files)
}

async function generate(options: Options, signal: AbortSignal): Promise<GroundTruth> {
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

function whatNext(folder: string, caseDir: string, capture: string | undefined): string {
  const tidemark = invocation()
  const at = `--case ${quoted(caseDir)}`
  return `
This incident is reconstructed: its records were generated from the published
figures of the Lab 1.3 exercise.

What to try next
  ${tidemark} investigate ${attacker} ${at} --show-work
      the SQL behind its figures, and shell commands for some
  ${tidemark} investigate 10.130.8.94 ${at}
      the other side: the server that was broken into
  ${tidemark} evidence ${at}
      every file, with its digest and its lines
  zcat ${quoted(folder)}/*.gz | wc -l
      the same count of lines by hand
${capture === undefined ? '' : packetsNext(capture)}`
}

function packetsNext(capture: string): string {
  return `  tcpdump -nr ${quoted(capture)} host ${attacker} | less
      an hour of the same incident in packets
`
}

/** The command that was typed to get here. */
function invocation(): string {
  const script = process.argv[1] ?? ''
  if (!script.endsWith('.js')) return 'tidemark'
  return process.env.npm_lifecycle_event === undefined ? `node ${quoted(relative('.', script))}` : 'npx tidemark'
}
