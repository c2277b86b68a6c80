/** Cases that were made, asked of the library as its users do. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addEvidence, type Detections, type DetectOptions, detect, openCase } from '../../src/index.ts'
import { type MadeCase, textOf } from './generator.ts'
import type { Format } from './sensor.ts'

/** Calls with a folder that is removed afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-twins-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the analyst says of a case. */
export function saidOf({ played }: MadeCase): DetectOptions {
  return {
    internal: played.flatMap(({ internal = [] }) => internal),
    scanners: played.flatMap(({ scanners = [] }) => scanners),
  }
}

/** Builds a case of files, each given as its lines, one `add` after the other if `apart`. */
export async function addLines(
  folder: string,
  format: Format,
  files: readonly (readonly string[])[],
  apart = false,
): Promise<string> {
  mkdirSync(folder)
  const paths = files.map((lines, i) => {
    const path = join(folder, `${i}.log`)
    writeFileSync(path, textOf(format, lines))
    return path
  })
  const into = join(folder, 'case')
  for (const some of apart ? paths.map(path => [path]) : [paths])
    await addEvidence({ case: into, paths: some, workers: 1 })
  return into
}

export async function detectIn(folder: string, options: DetectOptions = {}): Promise<Detections> {
  const opened = await openCase(folder)
  try {
    return await detect(opened, options)
  } finally {
    await opened.close()
  }
}
