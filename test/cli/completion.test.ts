import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
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
    ['add', 'convert', 'carve', 'evidence', 'verify', 'investigate', 'flows', 'sql', 'demo', 'completion', 'help'],
  ],
  [['investigate', '--a'], ['--approved-ports']],
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
]

test('bash completes commands, options, values and files', skipWithout('bash'), t => {
  const folder = folderWith(t, 'bash')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the shell.
  const ask = 'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tidemark; printf "%s\\n" "${COMPREPLY[@]}"'
  for (const [words, expected] of completions) {
    const found = inShell('bash', ['-c', ask, 'bash', 'tidemark', ...words], folder)
    const lines = found.split('\n').filter(line => line !== '')
    assert.deepEqual(lines.sort(), [...expected].sort(), `tidemark ${words.join(' ')}`)
  }
})

test('fish completes commands, options, values and files', skipWithout('fish'), t => {
  const folder = folderWith(t, 'fish')
  const ask = (line: string) =>
    inShell('fish', ['-c', `source ./script; function tidemark; end; complete -C ${JSON.stringify(line)}`], folder)
      .split('\n')
      .map(found => found.split('\t')[0])
  assert.deepEqual(ask('tidemark investi'), ['investigate', ''])
  assert.deepEqual(ask('tidemark investigate --app'), ['--approved-ports', ''])
  assert.deepEqual(ask('tidemark add --case lo'), ['logs/', ''])
  assert.deepEqual(ask('tidemark completion z'), ['zsh', ''])
})
