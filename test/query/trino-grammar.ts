/** A grammar of Trino's SQL, so that statements are judged without a cluster. Its package is made for bundlers, and is bundled first. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { repoRoot } from '../repo.ts'

interface TrinoSQL {
  validate(text: string): { message: string }[]
}

/** What is wrong with a statement, as the grammar says it; null: nothing. */
export async function trinoGrammar(): Promise<(text: string) => string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-grammar-'))
  try {
    const outfile = join(folder, 'trino.mjs')
    const contents = `export { TrinoSQL } from 'dt-sql-parser/dist/parser/trino/index.js'`
    const stdin = { contents, resolveDir: repoRoot }
    await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
    const { TrinoSQL } = (await import(pathToFileURL(outfile).href)) as { TrinoSQL: new () => TrinoSQL }
    const grammar = new TrinoSQL()
    return text => grammar.validate(text)[0]?.message ?? null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
