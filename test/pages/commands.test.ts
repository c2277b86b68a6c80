import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { golden } from '../golden.ts'
import { cliEntry, repoRoot, skipWithout } from '../repo.ts'
import { type PageStep, stepsOf, withOutputs } from './page-commands.ts'

// Every command that the README, the tutorials, the how-to guides and the explanations show is run, from the folder in which `npm run
// demo` was run. TIDEMARK_PAGES=nfdump runs those of the pages whose path has the word.

const docs = join(repoRoot, 'docs')
const pages = [
  'README.md',
  ...readdirSync(docs, { recursive: true, encoding: 'utf8' })
    .filter(name => /^(tutorials|how-to|explanation)\/.*\.md$/.test(name))
    .map(name => join('docs', name))
    .sort(),
]
const markdownOf = (page: string): string => readFileSync(join(repoRoot, page), 'utf8')

const root = mkdtempSync(join(tmpdir(), 'tidemark-pages-'))
const bin = join(root, 'bin')
/** Where each page runs: a case knows its evidence by path, so all have the same. */
const world = join(root, 'world')
const demo = join(world, 'tidemark-demo')
const kept = join(root, 'kept')

before(async () => {
  mkdirSync(world)
  await copyLab(demo)
  assert.equal(tidemark(['demo', '--out', demo, '--json']).status, 0)
  cpSync(demo, kept, { recursive: true, preserveTimestamps: true })
  mkdirSync(bin)
  const program = join(bin, 'tidemark')
  // A pipe hides what the programs before its last one end with.
  writeFileSync(program, `#!/bin/sh\n"${process.execPath}" "${cliEntry}" "$@"\ns=$?\necho $s >> "$STATUSES"\nexit $s\n`)
  chmodSync(program, 0o755)
})
after(() => rmSync(root, { recursive: true, force: true }))

describe('every command of a page does what the page says', () => {
  const chosen = pages.filter(page => page.match(process.env.TIDEMARK_PAGES ?? ''))
  for (const page of chosen) test(page, t => runPage(page, text => t.diagnostic(text)))
})

/** Programs that a page may name and a machine may lack. */
const optional = ['nfdump', 'nfpcapd', 'jq']

function runPage(page: string, say: (text: string) => void): void {
  const steps = stepsOf(markdownOf(page)).filter(({ notRun }) => notRun === null)
  if (steps.length === 0) return
  rmSync(world, { recursive: true })
  cpSync(kept, demo, { recursive: true, preserveTimestamps: true })
  const printed = new Map<number, string>()
  let cwd = world
  for (const step of steps) {
    const place = `${page}:${step.line}: ${step.script}`
    const lacking = optional.find(name => new RegExp(`\\b${name} -`).test(step.script) && skipWithout(name).skip)
    if (lacking !== undefined) {
      say(`skipped, no ${lacking}: ${place}`)
      continue
    }
    const ran = runStep(step, cwd)
    assert.equal(ran.status, 0, `${place}\n${ran.stderr}`)
    for (const status of ran.statuses) assert.equal(status, String(step.status), `${place}\n${ran.stderr}`)
    cwd = ran.cwd
    if (step.output === null) continue
    if (process.env.UPDATE_GOLDEN === '1') printed.set(step.line, ran.stdout)
    else assert.equal(ran.stdout, step.output, `${place}\nnode scripts/test.mjs pages -u takes the new output over`)
  }
  if (printed.size > 0) writeFileSync(join(repoRoot, page), withOutputs(markdownOf(page), printed))
}

interface Ran {
  status: number | null
  /** Of each `tidemark`. */
  statuses: string[]
  stdout: string
  stderr: string
  cwd: string
}

function runStep({ script, status }: PageStep, cwd: string): Ran {
  const { NO_COLOR: _n, FORCE_COLOR: _f, TIDEMARK_CASE: _c, COLUMNS: _w, ...env } = process.env
  const [log, folder] = [join(root, 'statuses'), join(root, 'folder')]
  rmSync(log, { force: true })
  const lines = [...(status === 0 ? ['set -e', script] : [script, 'true']), `pwd > '${folder}'`]
  const run = spawnSync('bash', ['-c', lines.join('\n')], {
    encoding: 'utf8',
    cwd,
    env: { ...env, PATH: `${bin}:${env.PATH}`, STATUSES: log },
    maxBuffer: 1 << 28,
  })
  return {
    status: run.status,
    statuses: existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [],
    // Lines of CSV end as RFC 4180 says.
    stdout: run.stdout.replaceAll('\r\n', '\n'),
    stderr: run.stderr,
    cwd: run.status === 0 ? readFileSync(folder, 'utf8').trim() : cwd,
  }
}

test('what a page shows and no test runs has a reason', () => {
  const lines = pages.flatMap(page => {
    const steps = stepsOf(markdownOf(page)).filter(({ notRun }) => notRun !== null)
    return steps.map(({ script, notRun }) => `${page}: ${notRun}\n${script.replaceAll(/^/gm, '    ')}\n`)
  })
  golden(
    'pages-not-run.golden.txt',
    `${lines.length} commands or blocks of the pages are not run.\n\n${lines.join('')}`,
  )
})

test('commands of a page are found in blocks, tables and sentences', () => {
  const page = [
    '<!-- setup: cp a b -->',
    '```sh',
    'tidemark add \\',
    '  a',
    '```',
    '<!-- status: 3 -->',
    '```console',
    '$ tidemark case |',
    '> head -1',
    'one line',
    '$ ls x',
    '```',
    '<!-- not run: the network -->',
    '```sh',
    'aws s3 sync',
    '```',
    '| `zcat a \\| wc -l` | `tidemark add FILE…` | `tidemark evidence` and `tidemark` |',
    'Then `tidemark add` reads it, and `tidemark case --json` has it.',
  ].join('\n')
  const found = stepsOf(page).map(step => [step.line, step.script, step.output, step.status, step.notRun])
  assert.deepEqual(found, [
    [1, 'cp a b', null, 0, null],
    [3, 'tidemark add \\\n  a', null, 0, null],
    [8, 'tidemark case |\nhead -1', 'one line\n', 3, null],
    [11, 'ls x', '', 3, null],
    [15, 'aws s3 sync', null, 0, 'the network'],
    [17, 'zcat a | wc -l', null, 0, null],
    [17, 'tidemark evidence', null, 0, null],
    [18, 'tidemark case --json', null, 0, null],
  ])
  const printed = new Map([
    [8, 'two\nlines\n'],
    [11, 'z\n'],
  ])
  assert.match(withOutputs(page, printed), /\n> head -1\ntwo\nlines\n\$ ls x\nz\n```\n/)
})
