import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NotRegularError, TooLargeError } from '../../src/disk/nodes.ts'
import { openRegular, piecesOf, readSmall, readUpTo } from '../../src/disk/reading.ts'
import {
  createNew,
  openToChange,
  removeNode,
  removePassing,
  replaceFile,
  requireFolder,
} from '../../src/disk/writing.ts'

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-disk-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('a pipe, a device and a folder are never opened as files, also through a link', () =>
  inFolder(async folder => {
    const pipe = join(folder, 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe])
    const link = join(folder, 'link')
    symlinkSync('/dev/zero', link)
    for (const [path, kind] of [
      [pipe, 'pipe'],
      ['/dev/zero', 'device'],
      [link, 'device'],
      [folder, 'folder'],
    ] as const) {
      const isIt = (error: unknown): boolean => error instanceof NotRegularError && error.kind === kind
      assert.throws(() => readSmall(path, 'follow', 10), isIt)
      await assert.rejects(openRegular(path, 'follow'), isIt)
      await assert.rejects(piecesOf(path, 'follow').next(), isIt)
    }
    await assert.rejects(openToChange(pipe), NotRegularError)
  }))

test('a link is followed where the user named it, and refused within a case', () =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'file'), 'text')
    const link = join(folder, 'link')
    symlinkSync('file', link)
    assert.equal(readSmall(link, 'follow', 10).toString(), 'text')
    assert.throws(() => readSmall(link, 'refuse', 10), /a symbolic link, not a regular file/)
    await assert.rejects(openToChange(link), NotRegularError)
    await assert.rejects(createNew(link), { code: 'EEXIST' })
  }))

test('what is read counts, not what a file claims', () =>
  inFolder(async folder => {
    const path = join(folder, 'sparse')
    writeFileSync(path, '')
    truncateSync(path, 100 * 2 ** 30)
    assert.throws(() => readSmall(path, 'follow', 1000), TooLargeError)
    writeFileSync(path, 'x'.repeat(1000))
    assert.equal(readSmall(path, 'follow', 1000).length, 1000)
    assert.throws(() => readSmall(path, 'follow', 999), TooLargeError)
    for (const claimed of [0, 10, 1000, 5000]) {
      const fd = openSync(path, 'r')
      assert.equal(readUpTo(fd, 1000, claimed)?.length, 1000)
      closeSync(fd)
    }
    // Files of the system claim to hold nothing.
    if (existsSync('/proc/self/status')) assert(readSmall('/proc/self/status', 'follow', 1 << 20).length > 0)
  }))

test('replacing takes away a link, not what it points to, and leaves nothing else', () =>
  inFolder(async folder => {
    writeFileSync(join(folder, 'victim'), 'precious')
    symlinkSync('victim', join(folder, 'file'))
    await replaceFile(join(folder, 'file'), 'new')
    assert.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'precious')
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'new')
    await mkdir(join(folder, 'sub'))
    await assert.rejects(replaceFile(join(folder, 'sub'), 'new'))
    assert.deepEqual(readdirSync(folder).sort(), ['file', 'sub', 'victim'])
  }))

test('a link to a folder is no folder, and is removed itself', () =>
  inFolder(async folder => {
    await requireFolder(join(folder, 'real'))
    await requireFolder(join(folder, 'real'))
    writeFileSync(join(folder, 'real', 'file'), 'precious')
    symlinkSync('real', join(folder, 'link'))
    await assert.rejects(requireFolder(join(folder, 'link')), /a symbolic link, not a folder/)
    await removeNode(join(folder, 'link'))
    assert.deepEqual(readdirSync(folder), ['real'])
    assert.deepEqual(readdirSync(join(folder, 'real')), ['file'])
  }))

test('files on their way that a killed process left are removed, those of a living one stay', () =>
  inFolder(async folder => {
    const dead = '.tidemark-new-4194305-0123456789abcdef'
    const mine = `.tidemark-new-${process.pid}-0123456789abcdef`
    for (const name of [dead, mine, '.tidemark-new-x']) writeFileSync(join(folder, name), '')
    await removePassing(folder)
    assert.deepEqual(readdirSync(folder).sort(), [mine, '.tidemark-new-x'].sort())
  }))
