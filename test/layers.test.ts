import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { repoRoot } from './repo.ts'

// Imports point one way: a file may know its own layer and the layers named beside it, and no two files may
// know each other. ARCHITECTURE.md tells why.
const maySee: Record<string, string[]> = {
  disk: [],
  net: [],
  'network-rules': ['net'],
  'as-code': ['net', 'network-rules'],
  anonymise: ['net'],
  codecs: [],
  aws: [],
  input: ['net', 'codecs'],
  enrich: ['net', 'input'],
  records: ['net'],
  'vpc-text': ['net', 'codecs', 'input', 'records'],
  packet: ['net', 'input', 'records'],
  meter: ['net', 'records', 'packet'],
  nfcapd: ['net', 'codecs', 'input', 'records'],
  'flow-text': ['net', 'input', 'records', 'vpc-text'],
  sources: ['net', 'aws', 'input'],
  store: ['net', 'input', 'records'],
  convert: ['net', 'anonymise', 'input', 'records', 'vpc-text', 'packet', 'meter', 'nfcapd', 'store'],
  ingest: ['net', 'input', 'sources', 'records', 'vpc-text', 'flow-text', 'packet', 'meter', 'nfcapd', 'store'],
  lake: ['net', 'aws', 'input', 'records', 'vpc-text', 'sources', 'store', 'ingest'],
  verbatim: ['net', 'input', 'sources', 'records', 'vpc-text', 'store', 'ingest'],
  query: ['net', 'store'],
  engines: ['net', 'aws', 'sources', 'store', 'query'],
  'record-index': ['net', 'records', 'store', 'query'],
  conversations: ['net', 'records', 'store', 'query', 'record-index'],
  filter: ['net', 'enrich', 'records', 'store', 'query', 'record-index', 'conversations'],
  carve: [
    'net',
    'enrich',
    'input',
    'records',
    'packet',
    'convert',
    'store',
    'verbatim',
    'query',
    'record-index',
    'conversations',
    'filter',
  ],
  flows: ['net', 'enrich', 'records', 'store', 'query', 'engines', 'record-index', 'conversations', 'filter'],
  timeline: ['net', 'enrich', 'records', 'store', 'query', 'record-index', 'conversations', 'filter', 'flows'],
  pull: [
    'net',
    'sources',
    'records',
    'store',
    'ingest',
    'query',
    'engines',
    'record-index',
    'conversations',
    'filter',
    'flows',
  ],
  verify: [
    'net',
    'enrich',
    'records',
    'store',
    'query',
    'record-index',
    'conversations',
    'filter',
    'flows',
    'timeline',
  ],
  'user-sql': ['net', 'records', 'store', 'query', 'record-index', 'conversations', 'filter'],
  rules: ['net', 'records', 'record-index', 'conversations'],
  investigate: [
    'net',
    'enrich',
    'records',
    'store',
    'query',
    'record-index',
    'conversations',
    'filter',
    'flows',
    'rules',
  ],
  detect: [
    'net',
    'enrich',
    'records',
    'store',
    'query',
    'record-index',
    'conversations',
    'filter',
    'flows',
    'rules',
    'investigate',
  ],
  sieve: ['net', 'store', 'query', 'engines', 'conversations', 'filter', 'flows', 'pull', 'rules', 'detect'],
  controls: [
    'net',
    'network-rules',
    'as-code',
    'enrich',
    'records',
    'store',
    'query',
    'record-index',
    'conversations',
    'filter',
    'flows',
    'rules',
    'investigate',
    'detect',
  ],
  posture: ['net', 'aws', 'controls'],
  overview: [
    'net',
    'enrich',
    'records',
    'store',
    'query',
    'record-index',
    'conversations',
    'filter',
    'flows',
    'rules',
    'investigate',
  ],
  report: [
    'net',
    'sources',
    'network-rules',
    'as-code',
    'enrich',
    'records',
    'store',
    'query',
    'record-index',
    'conversations',
    'flows',
    'user-sql',
    'rules',
    'investigate',
    'detect',
    'controls',
    'posture',
    'verbatim',
    'overview',
  ],
  export: [
    'net',
    'anonymise',
    'enrich',
    'records',
    'convert',
    'store',
    'query',
    'record-index',
    'conversations',
    'filter',
    'flows',
    'user-sql',
    'rules',
    'investigate',
    'detect',
    'report',
  ],
  watch: ['net', 'aws', 'input', 'sources', 'records', 'store', 'ingest', 'rules', 'detect'],
  demo: [],
  server: [],
  ui: ['net', 'server'],
  cli: [],
}
// The workbench asks what the commands ask.
maySee['server'] = Object.keys(maySee).filter(name => !['watch', 'demo', 'ui', 'cli'].includes(name))
// The command line puts all of them together.
maySee['cli'] = [...Object.keys(maySee).filter(name => name !== 'ui'), 'index.ts']

const everywhere = [
  ...[
    'errors.ts',
    'nearest.ts',
    'system-error.ts',
    'address-space.ts',
    'limited-process.ts',
    'shape.ts',
    'visible.ts',
    'version.ts',
  ],
]
const everywhereFolder = 'disk'

const src = join(repoRoot, 'src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  name => /\.tsx?$/.test(name) && statSync(join(src, name)).isFile(),
)
const texts = new Map(files.map(file => [file, readFileSync(join(src, file), 'utf8')]))
const edges = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]))

/** Files that a file imports, types and lazy imports included. */
function importsOf(file: string, text: string): string[] {
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)
  return [...specifiers].map(([, specifier]) => relative(src, join(src, dirname(file), specifier!)))
}

function filesWith(pattern: RegExp): string[] {
  return [...texts].filter(([, text]) => pattern.test(text)).map(([file]) => file)
}

test('every folder of src is a known layer', () => {
  const folders = readdirSync(src).filter(name => statSync(join(src, name)).isDirectory())
  assert.deepEqual(
    folders.filter(folder => !(folder in maySee)),
    [],
  )
})

test('a layer sees only those before it, and ARCHITECTURE.md lists them in that order', () => {
  const layers = Object.keys(maySee)
  for (const [i, layer] of layers.entries())
    assert.deepEqual(
      maySee[layer]!.filter(seen => seen !== 'index.ts' && layers.indexOf(seen) > i),
      [],
      layer,
    )
  const rows = readFileSync(join(repoRoot, 'ARCHITECTURE.md'), 'utf8').matchAll(/^\| `([a-z-]+)\/` +\|/gm)
  assert.deepEqual([...rows].map(([, folder]) => folder).sort(), [...layers].sort())
})

test('imports point one way', () => {
  const wrong = [...edges].flatMap(([file, targets]) =>
    targets.filter(target => !allowed(file, target)).map(target => `${file} may not know ${target}`),
  )
  assert.deepEqual(wrong, [])
})

function allowed(file: string, target: string): boolean {
  const from = file.split('/')[0]!
  const to = target.split('/')[0]!
  const layers = maySee[from]
  if (from === to || layers === undefined || to === everywhereFolder || everywhere.includes(target)) return true
  return layers.includes(to) || layers.includes(target)
}

test('only the command line knows the demo', () => {
  const knowing = [...edges].filter(([, targets]) => targets.some(target => target.startsWith('demo/')))
  const outside = knowing.map(([file]) => file).filter(file => !/^(demo|cli)\//.test(file))
  assert.deepEqual(outside, [])
})

test('the page knows nothing of the server but what questions and answers are', () => {
  const wrong = [...edges].flatMap(([file, targets]) =>
    targets
      .filter(
        target => file.startsWith('ui/') && target.startsWith('server/') && !target.startsWith('server/contract/'),
      )
      .map(target => `${file} -> ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('every import resolves to a file', () => {
  const lost = [...edges].flatMap(([file, targets]) =>
    targets.filter(target => !existsSync(join(src, target))).map(target => `${file} -> ${target}`),
  )
  assert.deepEqual(lost, [])
})

test('no two files know each other', () => {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    } else if (!done.has(file)) {
      done.add(file)
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    }
  }
  for (const file of files) visit(file, [])
  assert.deepEqual(cycles, [])
})

test('the command line starts without the engine, the grammar and the validator: a third of a second of loading', () => {
  const loaded = new Set<string>()
  const visit = (file: string): void => {
    if (loaded.has(file) || !texts.has(file)) return
    loaded.add(file)
    for (const [, specifier] of texts
      .get(file)!
      .matchAll(/^(?:import|export) (?!type )(?:[\w*{}\s,]+ from )?['"]([^'"]+)['"]/gm)) {
      if (specifier!.startsWith('.')) visit(relative(src, join(src, dirname(file), specifier!)))
      else loaded.add(specifier!)
    }
  }
  visit('cli/run.ts')
  assert(loaded.has('cli/commander.ts'))
  assert.deepEqual(
    [...loaded].filter(name => /^(@duckdb\/|chevrotain|zod|store\/case|filter\/grammar)/.test(name)),
    [],
  )
})

test('only store/duckdb.ts, and what loads it there, knows DuckDB', () => {
  const knowing = filesWith(/['"]@duckdb\//)
  assert.deepEqual(
    knowing.filter(file => !['store/duckdb.ts', 'store/answer.ts', 'store/bindings.ts'].includes(file)),
    [],
  )
})

test('only aws/ knows the packages of AWS, and loads each when it is asked for', () => {
  const knowing = filesWith(/['"](?:@aws-sdk|@smithy|proxy-agent)\b/)
  assert.deepEqual(
    knowing.filter(file => !file.startsWith('aws/')),
    [],
  )
  assert.deepEqual(filesWith(/^(?:import|export) [^;]*? from ['"](?:@aws-sdk|@smithy|proxy-agent)\b/m), [])
})

// The binding gives null for the end of a result and for an error in it: one reader knows them apart.
test('only store/answer.ts reads results', () => {
  const reading = /fetch_chunk|result_get_chunk|fetchChunk|fetchAllChunks|yieldRows|getRows|ReadAll|DuckDBResult/
  assert.deepEqual(filesWith(reading), ['store/answer.ts'])
})

// A `-child.ts` is the main file of a process of its own.
test('only the command line reads arguments, prints and exits', () => {
  const touching = filesWith(/\bprocess\s*\.\s*(argv|exit|exitCode|stdout|stderr|stdin)\b|from ['"]node:process['"]/)
  assert.deepEqual(
    touching.filter(file => !file.startsWith('cli/') && !file.endsWith('-child.ts')),
    [],
  )
})

test('only cli/output.ts writes to the terminal', () => {
  const writing = filesWith(/\bprocess\s*\.\s*(stdout|stderr)\b/)
  assert.deepEqual(
    writing.filter(file => file !== 'cli/output.ts'),
    [],
  )
})

test('a file has at most 500 lines', () => {
  const long = [...texts].filter(([, text]) => text.split('\n').length > 501)
  assert.deepEqual(
    long.map(([file]) => file),
    [],
  )
})
