import type { FileName, OutputRules } from '../disk/output.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import type { CommonOptions } from './options.ts'

/** What a command has that writes a file. */
export interface OutputOptions extends CommonOptions {
  force?: true
}

export const forceOption = [
  '--force',
  'replace an older file of that name; evidence and what is in a case never are',
] as const

export const anonymiseOption = [
  '--anonymise <keyfile>',
  'replace addresses, prefixes kept (Crypto-PAn), by the key in a file',
] as const

/**
 * Refuses an output that must not or cannot be written, before anything is read or asked for it. Neither files that are read nor
 * evidence of the case, where there is one, are written over.
 *
 * @throws UserError
 */
export async function checkOutput(
  name: string,
  paths: readonly string[],
  options: OutputOptions,
  rules: Pick<OutputRules, 'option' | 'seeks' | 'makesFolders' | 'instead'>,
): Promise<void> {
  const [{ outputTarget }, { findFiles }, { isLedger }] = await Promise.all([
    import('../disk/output.ts'),
    import('../input/walk.ts'),
    import('../store/ledger.ts'),
  ])
  const kept = await keptFrom(name, options.case)
  // What does not exist is not among the files that are read.
  const found = kept === null ? [] : await findFiles(paths, { isLedger, pipes: true })
  const inputs = [...found.map(file => file.rawPath ?? file.path), ...(kept ?? [])]
  outputTarget(name, { ...rules, inputs, force: options.force === true })
}

/** Evidence of the case, if there is one, that an output of that name could be written over; null: there is nothing of that name. */
export async function keptFrom(name: string, caseDir: string): Promise<FileName[] | null> {
  const { existsSync } = await import('node:fs')
  if (name !== '-' && !existsSync(name)) return null
  const { fileName } = await import('../store/ledger.ts')
  return (await evidenceIn(caseDir)).map(fileName)
}

/** What a case was built from, also one whose ledger was altered; nothing where there is no case. */
export async function evidenceIn(caseDir: string): Promise<EvidenceEntry[]> {
  const [{ existsSync }, { join }] = await Promise.all([import('node:fs'), import('node:path')])
  if (!existsSync(join(caseDir, 'ledger.jsonl'))) return []
  const [{ readLedger }, { filesOf }] = await Promise.all([import('../store/ledger.ts'), import('../store/entries.ts')])
  return filesOf((await readLedger(caseDir)).entries)
}

/** Runs work that writes a stream, whose reader may go: then nobody is left to tell. */
export async function unlessReaderGone(work: () => Promise<void>): Promise<void> {
  const { ReaderGone } = await import('../disk/output-file.ts')
  try {
    await work()
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw error
  }
}
