/** Questions of `detect` that take the place of its rules: the path from a host, and a comparison with a baseline. */
import type { Command } from 'commander'
import type { BaselineOptions } from '../detect/baseline.ts'
import type { DetectOptions } from '../detect/detect.ts'
import type { PathAnswer, PathOptions } from '../detect/path.ts'
import { exitStatus, UserError } from '../errors.ts'
import { parseAddress } from '../net/address.ts'
import type { Block } from '../report/block.ts'
import type { Case } from '../store/case.ts'
import { noteWriter } from './added.ts'
import { InvalidArgumentError, Option } from './commander.ts'
import { reportEnrichment } from './enrichment-options.ts'
import { reportUnreadOf } from './investigate.ts'
import { type CommonOptions, parseCount } from './options.ts'
import { print, printPage } from './output.ts'
import { startWaiting } from './progress.ts'

export interface ModeOptions {
  fromHost?: string
  at?: string
  hops?: number
  hub?: number
  /** True without a value. */
  baseline?: string | true
}

type Given = ModeOptions & CommonOptions & { all?: true }

/** Answers in place of the rules. */
export type Mode = (
  caseDir: string,
  signal: AbortSignal,
  dossierOf: (host: string) => string,
  isThrowAway: boolean,
) => Promise<void>

export function addModes(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--from-host <address>',
        'instead: whom the address reached, and whom they reached in turn, forward in time',
      ).argParser(parseHost),
    )
    .option('--at <time>', 'with --from-host: when the address was taken over (default: its first connection)')
    .addOption(
      new Option('--hops <count>', 'with --from-host: most connections in a row (default 4)').argParser(parseCount),
    )
    .addOption(
      new Option(
        '--hub <count>',
        'with --from-host: hosts that this number of yours use are named, and not followed (default 20)',
      ).argParser(parseCount),
    )
    .option(
      '--baseline [window]',
      'instead: what is new since FROM..TO, the baseline; without a value, or with auto, since the first quarter of the case',
    )
}

function parseHost(text: string): string {
  if (parseAddress(text) === null) throw new InvalidArgumentError('Expected an address, like 10.0.0.7.')
  return text
}

/** Options of the rules, which a question in their place does not answer. */
const ofRules = {
  ...{ host: '--host', rule: '--rule', rules: '--rules', set: '--set' },
  ...{ minSeverity: '--min-severity', failOn: '--fail-on' },
}

/**
 * The question that is asked in place of the rules; null where none is.
 *
 * @throws UserError (status 2) for options that do not go together.
 */
export async function modeOf(options: Given, asked: DetectOptions): Promise<Mode | null> {
  const { fromHost, baseline } = options
  const [alone] = (['at', 'hops', 'hub'] as const).filter(name => options[name] !== undefined)
  if (fromHost === undefined && alone !== undefined)
    throw unfit(`--${alone} is an option of --from-host`, 'name the host: --from-host 10.0.0.7')
  if (fromHost === undefined && baseline === undefined) return null
  const name = fromHost === undefined ? '--baseline' : '--from-host'
  if (fromHost !== undefined && baseline !== undefined)
    throw unfit('--baseline does not go with --from-host', 'ask twice')
  const [other] = Object.entries(ofRules).filter(([option]) => option in options)
  if (other !== undefined)
    throw unfit(`${other[1]} does not go with ${name}`, 'it is about findings; leave it out, or ask twice')
  if (asked.filter !== undefined)
    throw unfit(`a filter does not go with ${name}`, 'all connections are looked at; leave it out, or ask twice')
  return fromHost === undefined ? baselineMode(options, asked) : pathMode(options, { ...asked, from: fromHost })
}

function unfit(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}

async function pathMode(options: Given, asked: DetectOptions & { from: string }): Promise<Mode> {
  const { at, hops, hub } = options
  const at_us = at === undefined ? undefined : await (await import('./selection.ts')).timeOf('--at', at)
  const path: PathOptions = {
    ...asked,
    ...(at_us !== undefined && { at_us }),
    ...(hops !== undefined && { hops }),
    ...(hub !== undefined && { hub }),
  }
  return async (caseDir, signal, dossierOf, isThrowAway) => {
    const { pathFrom } = await import('../detect/path.ts')
    const found = await askCase(caseDir, 'following connections', opened => pathFrom(opened, { ...path, signal }))
    const page = async (): Promise<Block[]> => {
      const { pathPage } = await import('../report/path.ts')
      return pathPage(found, dossierOf, options.all === true)
    }
    await printAnswer(found, page, options, isThrowAway)
  }
}

async function baselineMode(options: Given, asked: DetectOptions): Promise<Mode> {
  const compared: BaselineOptions = { ...asked, baseline: await baselineOf(options.baseline!) }
  return async (caseDir, signal, _, isThrowAway) => {
    const { compareWithBaseline } = await import('../detect/baseline.ts')
    const ask = (opened: Case) => compareWithBaseline(opened, { ...compared, signal })
    const found = await askCase(caseDir, 'comparing windows', ask)
    const page = async (): Promise<Block[]> => {
      const { baselinePage } = await import('../report/baseline.ts')
      return baselinePage(found, options.all === true)
    }
    await printAnswer(found, page, options, isThrowAway)
  }
}

async function baselineOf(text: string | true): Promise<BaselineOptions['baseline']> {
  if (text === true || text === 'auto') return 'auto'
  const [from = '', to = '', ...rest] = text.split('..')
  if (from === '' || to === '' || rest.length > 0)
    throw unfit(
      `not a window: --baseline ${text}`,
      'write --baseline 2023-09-01..2023-09-07, or --baseline=auto before a PATH',
    )
  const { selectionOf } = await import('./selection.ts')
  const { from_us, to_us } = await selectionOf({ from, to }, '--baseline')
  return { from_us: from_us!, to_us: to_us! }
}

async function askCase<T>(caseDir: string, doing: string, ask: (opened: Case) => Promise<T>): Promise<T> {
  const { openCase } = await import('../store/case.ts')
  const opened = await openCase(caseDir)
  const waiting = startWaiting(() => doing)
  try {
    await noteWriter(opened)
    return await ask(opened)
  } finally {
    waiting.stop()
    await opened.close()
  }
}

async function printAnswer(
  found: Parameters<typeof reportUnreadOf>[0] & Pick<PathAnswer, 'enrichment_problems'>,
  page: () => Promise<Block[]>,
  { json, color }: CommonOptions,
  isThrowAway: boolean,
): Promise<void> {
  if (json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(found))
  } else await printPage(await page(), color)
  await reportUnreadOf(found, restText(json === true, isThrowAway))
  await reportEnrichment(found.enrichment_problems)
}

/** Where places that could not be read stand, beyond those that are named. */
export function restText(json: boolean, isThrowAway: boolean): string {
  if (json) return 'see "problems" in the JSON document'
  return isThrowAway ? '--json lists them all' : 'tidemark evidence --json lists them all'
}
