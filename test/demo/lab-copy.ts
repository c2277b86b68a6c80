import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GroundTruth } from '../../src/demo/ground-truth.ts'
import { writeLab } from '../../src/demo/lab.ts'

/** Puts the reconstruction of the lab into a folder: a copy of what the runner has made once for all files (`scripts/test.mjs`), else made here. */
export async function copyLab(dir: string): Promise<GroundTruth> {
  const made = process.env['TIDEMARK_LAB']
  if (made === undefined) return writeLab(dir)
  cpSync(made, dir, { recursive: true })
  return JSON.parse(readFileSync(join(dir, 'ground-truth.json'), 'utf8')) as GroundTruth
}
