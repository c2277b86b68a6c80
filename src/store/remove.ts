/** Takes files out of what counts in a case, and puts them back. The record keeps them: a line of the ledger says what became of them. */
import { basename, resolve, sep } from 'node:path'
import { exitStatus, UserError } from '../errors.ts'
import { soundLedger, tidemarkVersion } from './case-folder.ts'
import { clipped } from './clipped.ts'
import { caseWriteError } from './files.ts'
import { type LedgerEntry, LedgerWriter, readLedger } from './ledger.ts'
import { lockForWriting } from './lock.ts'
import { caseFolder } from './nodes.ts'
import { heldRecords, type RemoveReport } from './reports.ts'
import { countedOf, counts, type Standing, standingsOf } from './standing.ts'

export interface RemoveOptions {
  /** The case's folder. */
  case: string
  /** Paths as `evidence` lists them, archives with the files in them, folders for all files below, or the first 12 or more digits of a SHA-256. */
  files: string[]
  /** Puts removed files back. */
  undo?: boolean
  /** Why, for the ledger. */
  reason?: string
  /** The command that asks for it, for the ledger. */
  command?: string
}

const textLengthMax = 16_384
/** Files of one line of the ledger, which has at most 64 MiB. */
const filesPerEntry = 100_000

/**
 * Removes files from what counts: no view, total or gap of the case has them from then on. Their segments and accounts stay. A reader that
 * has opened the case before keeps what it sees.
 *
 * @throws UserError (status 2) when one of the files is not in the case, or is removed already: then nothing is done.
 */
export async function removeEvidence(options: RemoveOptions): Promise<RemoveReport> {
  const dir = await caseFolder(options.case)
  // Without a case there is nothing to lock.
  await soundLedger(dir)
  try {
    const release = await lockForWriting(dir, options.command ?? 'remove')
    try {
      return await removed(dir, options)
    } finally {
      await release()
    }
  } catch (error) {
    throw caseWriteError(error, dir)
  }
}

async function removed(dir: string, options: RemoveOptions): Promise<RemoveReport> {
  const entries = await soundLedger(dir)
  const chosen = choose(standingsOf(entries), options)
  const writer = await LedgerWriter.open(dir, await readLedger(dir))
  const written: LedgerEntry[] = []
  for (let from = 0; from < chosen.length; from += filesPerEntry) {
    const prepared = writer.prepare({
      type: options.undo === true ? 'restored' : 'removed',
      tidemark: tidemarkVersion(),
      command: clipped(options.command ?? 'remove', textLengthMax),
      files: chosen.slice(from, from + filesPerEntry).map(({ entry, at, file: { id, sha256 } }) => ({
        ...{ entry: entry.seq, at, id, sha256 },
      })),
      reason: options.reason === undefined ? null : clipped(options.reason, textLengthMax),
    })
    await writer.commit(prepared)
    written.push(prepared.entry)
  }
  const { evidence } = countedOf([...entries, ...written])
  return {
    case: dir,
    restored: options.undo === true,
    files: chosen.map(({ file: { id, path, sha256, status, records } }) => ({ id, path, sha256, status, records })),
    entries: written.map(entry => entry.seq),
    ...heldRecords(evidence),
  }
}

/** The files that are meant, in the order of the ledger, each once. */
function choose(all: readonly Standing[], { files, undo = false }: RemoveOptions): Standing[] {
  const wanted = new Set<Standing>()
  for (const name of files) {
    const named = standingsNamed(all, name)
    if (named.length === 0) throw unknown(all, name)
    const fitting = named.filter(undo ? isRemoved : counts)
    if (fitting.length === 0) throw undo ? notRemoved(name, named) : notCounting(name, named)
    for (const one of fitting) wanted.add(one)
  }
  return all.filter(one => wanted.has(one))
}

function isRemoved(one: Standing): boolean {
  return one.isRemoved && one.supersededBy === null
}

function standingsNamed(all: readonly Standing[], name: string): Standing[] {
  const path = resolve(name)
  const folder = path.endsWith(sep) ? path : `${path}${sep}`
  const isMeant = (own: string): boolean => own === path || own === name || own.startsWith(folder)
  const named = all.filter(({ file }) => isMeant(file.path) || (file.archive !== null && isMeant(file.archive.path)))
  if (named.length > 0 || !/^[0-9a-f]{12,64}$/i.test(name)) return named
  return all.filter(({ file }) => file.sha256?.startsWith(name.toLowerCase()))
}

function unknown(all: readonly Standing[], name: string): UserError {
  const alike = all.find(({ file }) => basename(file.path) === basename(name))?.file.path
  const hint = 'tidemark evidence lists its files; name one by its path there, or by its SHA-256'
  return usage(`not in the case: ${name}`, alike === undefined ? hint : `did you mean ${alike}?`)
}

function notCounting(name: string, named: readonly Standing[]): UserError {
  if (!named.some(one => one.isRemoved)) return usage(`read again since, and does not count: ${name}`, seeHistory)
  return usage(`removed already: ${name}`, 'tidemark remove --undo puts it back')
}

function notRemoved(name: string, named: readonly Standing[]): UserError {
  const later = named.find(one => one.isRemoved)?.supersededBy?.file.path
  if (later === undefined) return usage(`not removed: ${name}`, seeHistory)
  return usage(`not put back: ${name}: the same content was read again since: ${later}`, seeHistory)
}

const seeHistory = 'tidemark evidence shows what became of each file'

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}
