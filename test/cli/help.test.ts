import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildProgram } from '../../src/cli/program.ts'
import { cliEntry, repoRoot, sharedDir, skipWithout } from '../repo.ts'
import { temporaryFolder, tidemark } from './run.ts'

const commands = buildProgram().commands.map(command => command.name())

test('prints its help when it is given nothing to do', () => {
  const { status, stdout, stderr } = tidemark([])
  assert.equal(status, 0)
  assert.equal(stderr, '')
  assert.match(stdout, /^Usage: tidemark COMMAND/)
  for (const name of commands) assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'))
})

test('prints the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'))
  assert.deepEqual(tidemark(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' })
})

for (const name of commands.filter(command => command !== 'help')) {
  test(`the help of ${name} has examples`, () => {
    const { status, stdout } = tidemark([name, '--help'])
    assert.equal(status, 0)
    const examples = stdout.split('Examples:')[1] ?? ''
    assert.ok(examples.split(`tidemark ${name}`).length >= 3, 'fewer than two examples')
    assert.equal(tidemark(['help', name]).stdout, stdout)
  })
}

test('no colour and no control character is printed into a pipe', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  assert.doesNotMatch(tidemark(['--help']).stdout, /[\x00-\x09\x0b-\x1f\x7f]/)
})

test('a reader that goes away is no failure', skipWithout('bash'), () => {
  const line = 'set -o pipefail; "$1" "$2" --help | true'
  const { status, stderr } = spawnSync('bash', ['-c', line, 'bash', process.execPath, cliEntry], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

test('a full disk behind standard output is a failure', skipWithout('/dev/full', 'bash'), () => {
  const line = '"$1" "$2" --help > /dev/full'
  const { status, stderr } = spawnSync('bash', ['-c', line, 'bash', process.execPath, cliEntry], { encoding: 'utf8' })
  assert.match(stderr, /no space left/)
  assert.equal(status, 1)
})

test('a file that takes only a part of the text is a failure', skipWithout('bash'), t => {
  const out = join(temporaryFolder(t), 'out')
  const line = 'trap "" XFSZ; ulimit -f 1; "$1" "$2" flows --help > "$3"'
  const argv = ['-c', line, 'bash', process.execPath, cliEntry, out]
  const { status, stderr } = spawnSync('bash', argv, { encoding: 'utf8' })
  assert.match(stderr, /cannot write to standard output: .*larger than is allowed/)
  assert.equal(status, 1)
})

test('every command is called as the contract calls it', skipWithout(sharedDir), () => {
  const contract = readFileSync(join(sharedDir ?? '', 'contract.md'), 'utf8')
  const rows = [...contract.matchAll(/^\| (`tidemark .*?) \|/gm)].map(([, row = '']) => row)
  const agreed = rows.flatMap(row => [...row.matchAll(/`tidemark (\w+)/g)].map(([, name]) => name))
  const own = ['completion', 'enrich', 'help']
  assert.deepEqual(
    commands.filter(name => !agreed.includes(name) && !own.includes(name)),
    [],
  )
})
