// Folders in the machine's temporary folder, and what killed processes left there.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { folderBeside, temporaryFolder as made } from '../../src/disk/temporary.ts'
import { temporaryFolder } from '../cli/run.ts'

test('a folder of a killed process goes when the next one of its kind is made, and no other', t => {
  const parent = temporaryFolder(t)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = parent
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  const own = basename(made('ui')).replace(/\d+-\w{6}$/, '')
  assert.ok(own.startsWith(`tidemark-ui-${hostname().replace(/[^A-Za-z0-9]/g, '_')}`), own)
  // Of this space of processes alone, where the system names it.
  if (process.platform === 'linux') assert.match(own, /_\d{6,}-$/)
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const killed = `${own}${dead}-abcdef`
  const others = [
    `${own}${process.pid}-abcdef`,
    `${own}${dead}-abcdef-mine`,
    `tidemark-ui-elsewhere-${dead}-abcdef`,
    `${own.slice(0, -2)}-${dead}-abcdef`,
    `${own.replace('-ui-', '-rows-')}${dead}-abcdef`,
  ]
  for (const name of [killed, ...others]) {
    mkdirSync(join(parent, name))
    writeFileSync(join(parent, name, 'rows.csv'), '')
  }
  const folder = made('ui')
  assert.equal(statSync(folder).mode & 0o77, 0)
  assert.ok(!existsSync(join(parent, killed)))
  for (const name of others) assert.ok(existsSync(join(parent, name, 'rows.csv')), name)
  assert.equal(readdirSync(parent).length, others.length + 2)
})

test('beside a place with a long name a folder can be made, and it is the place’s alone', t => {
  const parent = temporaryFolder(t)
  folderBeside(join(parent, '語'.repeat(80)), 'pulling')
  const place = join(parent, 'x'.repeat(250))
  const own = basename(folderBeside(place, 'pulling'))
  const dead = join(parent, own.replace(/\d+-\w{6}$/, `${spawnSync(process.execPath, ['-e', '']).pid}-abcdef`))
  mkdirSync(dead)
  folderBeside(join(parent, 'y'), 'pulling')
  assert.ok(existsSync(dead))
  folderBeside(place, 'pulling')
  assert.ok(!existsSync(dead))
})
