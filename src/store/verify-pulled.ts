/** The files of a pull, which lie in the case: each is what it was when it was read. */
import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { errorCode, errorText } from '../errors.ts'
import { caseFiles, digestOfFile, isOfFile } from './files.ts'
import type { LedgerEntry } from './ledger.ts'
import type { VerifyFinding } from './reports.ts'

export async function checkPulled(dir: string, entries: readonly LedgerEntry[]): Promise<VerifyFinding[]> {
  const findings: VerifyFinding[] = []
  const known = new Set<string>()
  for (const entry of entries) {
    if (entry.type !== 'pulled') continue
    const digests = new Map(entry.evidence.map(file => [file.id, file.sha256]))
    for (const { id, file } of entry.pull.parts) {
      known.add(file)
      const fault = await faultOf(join(dir, file), digests.get(id) ?? null)
      if (fault !== null) findings.push({ ...fault, path: file })
    }
  }
  for (const path of await filesIn(dir)) {
    if (!known.has(path)) findings.push({ what: 'unlisted', path, detail: 'no file of a pull' })
  }
  return findings
}

async function faultOf(path: string, sha256: string | null): Promise<Omit<VerifyFinding, 'path'> | null> {
  try {
    const found = await digestOfFile(path)
    if (found.sha256 === sha256) return null
    return { what: 'altered', detail: `SHA-256 is ${found.sha256}, the ledger says ${sha256}` }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { what: 'missing', detail: 'a file that was pulled' }
    if (!isOfFile(error)) throw error
    return { what: 'altered', detail: `cannot be read: ${errorText(error)}` }
  }
}

async function filesIn(dir: string): Promise<string[]> {
  try {
    const all = await readdir(join(dir, caseFiles.pulled), { recursive: true, withFileTypes: true })
    return all
      .filter(one => !one.isDirectory())
      .map(one =>
        join(one.parentPath, one.name)
          .slice(dir.length + 1)
          .replaceAll(sep, '/'),
      )
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
