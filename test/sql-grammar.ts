/** Grammars of the engines: what is said of a statement without an engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { repoRoot } from './repo.ts'

interface Grammar {
  validate(sql: string): { message: string }[]
}

let grammars: Promise<Record<'trino' | 'hive', Grammar>> | null = null

/**
 * What the grammar of an engine says against a statement, which ends without a semicolon; nothing: it parses. Athena's data definition is Hive's.
 *
 * The package is written for bundlers: Node cannot load it as it is.
 */
export async function syntaxFaults(engine: 'trino' | 'hive', statement: string): Promise<string[]> {
  grammars ??= load()
  return (await grammars)[engine].validate(`${statement};`).map(({ message }) => message)
}

/** The same for statements of Trino one after the other: the first fault of one, or null. */
export async function trinoFault(): Promise<(statement: string) => string | null> {
  grammars ??= load()
  const { trino } = await grammars
  return statement => trino.validate(statement)[0]?.message ?? null
}

async function load(): Promise<Record<'trino' | 'hive', Grammar>> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-grammar-'))
  try {
    const outfile = join(folder, 'grammars.mjs')
    const contents = `export { TrinoSQL } from 'dt-sql-parser/dist/parser/trino'
      export { HiveSQL } from 'dt-sql-parser/dist/parser/hive'`
    await build({
      ...{ stdin: { contents, resolveDir: repoRoot }, outfile, bundle: true, format: 'esm', platform: 'node' },
      // The package has parts that are of the old kind of modules.
      banner: {
        js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(repoRoot)})`,
      },
      logLevel: 'error',
    })
    const made = (await import(pathToFileURL(outfile).href)) as Record<'TrinoSQL' | 'HiveSQL', new () => Grammar>
    return { trino: new made.TrinoSQL(), hive: new made.HiveSQL() }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
