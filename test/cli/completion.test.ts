import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { saveQuery } from '../../src/flows/saved.ts'
import { skipWithout } from '../repo.ts'
import { temporaryFolder, tidemark } from './run.ts'

/** A folder with the script, a folder `logs` and a file `log 1.gz`. */
function folderWith(t: TestContext, shell: string): string {
  const folder = temporaryFolder(t)
  const { status, stdout } = tidemark(['completion', shell])
  assert.equal(status, 0)
  writeFileSync(join(folder, 'script'), stdout)
  writeFileSync(join(folder, 'log 1.gz'), '')
  mkdirSync(join(folder, 'logs'))
  return folder
}

function inShell(shell: string, args: string[], cwd: string): string {
  const { stdout, stderr, status } = spawnSync(shell, args, { cwd, encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout
}

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`${shell} takes the script for good`, skipWithout(shell), t => {
    inShell(shell, ['-n', 'script'], folderWith(t, shell))
  })
}

const completions: [words: string[], expected: string[]][] = [
  [['in'], ['investigate']],
  [
    [''],
    [
      ...[
        'add',
        'controls',
        'convert',
        'carve',
        'case',
        'evidence',
        'remove',
        'report',
        'verify',
        'watch',
        'investigate',
        'detect',
        'enrich',
        'flows',
        'sql',
        'export',
        'lake',
        'pull',
        'ui',
        'demo',
      ],
      ...['completion', 'help'],
    ],
  ],
  [['investigate', '--ap'], ['--approved-ports']],
  [
    ['add', 'log'],
    ['log 1.gz', 'logs'],
  ],
  [['add', '--case', 'log'], ['logs']],
  [['add', '--case', '=', 'log'], ['logs']],
  [
    ['investigate', '192.0.2.1', '--', 'log'],
    ['log 1.gz', 'logs'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['help', 'ver'], ['verify']],
  [['--case', 'x', 'ver'], ['verify']],
  [['evidence', ''], []],
  [['add', '--format', ''], []],
  [['flows', '-A', 'srcip4/24,dstp'], ['srcip4/24,dstport']],
  [['flows', '--stat', 'dstport/pa'], ['dstport/packets']],
  [['flows', '-s', 'srcip4'], ['srcip4/24']],
  [['flows', '-s', 'srcip4/24/by'], ['srcip4/24/bytes']],
  [['flows', '-s', 'srcip4/by'], []],
  [['flows', '-O', 'te'], ['tend']],
  [
    ['flows', '-o', 'bi'],
    ['biline', 'bilong'],
  ],
  [['flows', '--percentile', 'bytes/5'], ['bytes/50']],
  [
    ['flows', '--distinct', 'dsti'],
    ['dstip', 'dstip4/24', 'dstip6/64'],
  ],
  [['flows', '--bin', '3'], ['30s']],
  [
    ['flows', '--evidence', ''],
    ['logs', 'packets'],
  ],
  [
    ['flows', '--query', ''],
    ['from', 'who'],
  ],
  [['flows', '--case', 'other', '--query', ''], ['worm-2']],
  [['flows', '--case', '=', 'other', '--query', 'w'], ['worm-2']],
  [['flows', '--case', 'none', '--query', ''], []],
]

/** Cases with nothing but saved queries. */
async function withQueries(folder: string): Promise<void> {
  for (const [name, queries] of [
    ['case.tidemark', ['who', 'from']],
    ['other', ['worm-2']],
  ] as const) {
    mkdirSync(join(folder, name))
    for (const query of queries)
      await saveQuery({ dir: join(folder, name) }, query, { filter: 'port 22', params: { a: '{' } })
  }
}

test('bash completes commands, options, values and files', skipWithout('bash'), async t => {
  const folder = folderWith(t, 'bash')
  await withQueries(folder)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the shell.
  const ask = 'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tidemark; printf "%s\\n" "${COMPREPLY[@]}"'
  for (const [words, expected] of completions) {
    const found = inShell('bash', ['-c', ask, 'bash', 'tidemark', ...words], folder)
    const lines = found.split('\n').filter(line => line !== '')
    assert.deepEqual(lines.sort(), [...expected].sort(), `tidemark ${words.join(' ')}`)
  }
})

test('fish completes commands, options, values and files', skipWithout('fish'), async t => {
  const folder = folderWith(t, 'fish')
  await withQueries(folder)
  const ask = (line: string) =>
    inShell('fish', ['-c', `source ./script; function tidemark; end; complete -C ${JSON.stringify(line)}`], folder)
      .split('\n')
      .map(found => found.split('\t')[0])
  assert.deepEqual(ask('tidemark investi'), ['investigate', ''])
  assert.deepEqual(ask('tidemark investigate --app'), ['--approved-ports', ''])
  assert.deepEqual(ask('tidemark add --case lo'), ['logs/', ''])
  assert.deepEqual(ask('tidemark completion z'), ['zsh', ''])
  assert.deepEqual(ask('tidemark flows -A srcip4/24,dstp'), ['srcip4/24,dstport', ''])
  assert.deepEqual(ask('tidemark flows --aggregate=srcip,dstp'), ['--aggregate=srcip,dstport', ''])
  assert.deepEqual(ask('tidemark flows -A dstp'), ['dstport', ''])
  assert.deepEqual(ask('tidemark flows -s dstport/pa'), ['dstport/packets', ''])
  assert.deepEqual(ask('tidemark flows -s srcip4/2'), ['srcip4/24', ''])
  assert.deepEqual(ask('tidemark flows --query w'), ['who', ''])
  assert.deepEqual(ask('tidemark flows --case other --query w'), ['worm-2', ''])
})
