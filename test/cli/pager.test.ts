import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { wrapHelp } from '../../src/cli/help.ts'
import { pagerCommand, startPager } from '../../src/cli/pager.ts'
import { temporaryFolder, tidemark } from './run.ts'

test('the pager is the one that is asked for, else less, and none with cat or nothing', () => {
  const asked: [env: Record<string, string>, command: string | null][] = [
    [{}, 'less'],
    [{ PAGER: 'most' }, 'most'],
    [{ PAGER: 'most', TIDEMARK_PAGER: 'less -S' }, 'less -S'],
    [{ PAGER: 'most', TIDEMARK_PAGER: '' }, null],
    [{ PAGER: 'cat' }, null],
    [{ TERM: 'dumb' }, null],
  ]
  for (const [env, command] of asked) assert.equal(pagerCommand(env), command, JSON.stringify(env))
})

const nowhere = async (): Promise<void> => undefined

test('what a pager that is found missing too late did not show is printed', { timeout: 20_000 }, async () => {
  let printed = ''
  const direct = async (text: string): Promise<void> => {
    printed += text
  }
  const pager = await startPager('sleep 0.3; exec no-such-pager-at-all 2>/dev/null', direct)
  assert.ok(pager !== null)
  await pager.write('first\n')
  await pager.write(`${'x'.repeat(3 << 20)}\n`)
  await pager.write('last\n')
  await pager.close()
  assert.deepEqual(
    [pager.isGone(), printed.length, /^first\n.*\nlast\n$/s.test(printed)],
    [false, 6 + (3 << 20) + 6, true],
  )
})

test('Ctrl-C in a pager does not end what waits for it', { timeout: 20_000 }, async t => {
  const shown = join(temporaryFolder(t), 'shown')
  const pager = await startPager(`sleep 0.3; cat > ${shown}`, nowhere)
  assert.ok(pager !== null)
  await pager.write('text\n')
  const closed = pager.close()
  process.kill(process.pid, 'SIGINT')
  await closed
  assert.equal(readFileSync(shown, 'utf8'), 'text\n')
  assert.equal(process.listenerCount('SIGINT'), 0)
})

test('a pager that is not there is none, and one that was left takes no more', { timeout: 20_000 }, async t => {
  assert.equal(await startPager('no-such-pager-at-all 2>/dev/null', nowhere), null)
  const folder = temporaryFolder(t)
  const script = join(folder, 'pager')
  writeFileSync(script, `#!/bin/sh\nhead -c 5 > ${folder}/shown\n`)
  chmodSync(script, 0o755)
  const pager = await startPager(script, nowhere)
  assert.ok(pager !== null)
  while (!pager.isGone()) await pager.write('some text that nobody reads to its end\n')
  await pager.close()
})

test('what is piped goes through no pager', () => {
  const { status, stdout } = tidemark(['flows', '--help'], { env: { PAGER: 'sed s/^/paged/' } })
  assert.deepEqual([status, /paged/.test(stdout)], [0, false])
})

for (const width of [60, 80, 100, 140]) {
  test(`no line of a help is wider than ${width} columns, but for commands to be copied`, () => {
    for (const command of ['flows', 'sql', 'add', 'investigate', 'convert']) {
      const { stdout } = tidemark([command, '--help'], { env: { COLUMNS: String(width) } })
      for (const line of stdout.split('\n').filter(line => !/^ {2}tidemark /.test(line)))
        assert.ok(line.length <= width, line)
    }
  })
}

test('a long line of a help hangs below its begin, and what it is about goes below it', () => {
  assert.equal(
    wrapHelp('  tidemark flows --csv --limit all   all records of the case', 44),
    '  tidemark flows --csv --limit all\n      all records of the case',
  )
})

test('a sentence of a help that was broken goes on in its line, and other lines stay', () => {
  assert.equal(
    wrapHelp(
      'A sentence that\ngoes on, until it is longer than the width. And ends.\nAnother.\n\nExamples:\n  tidemark',
      44,
    ),
    'A sentence that goes on, until it is longer\nthan the width. And ends.\nAnother.\n\nExamples:\n  tidemark',
  )
})
