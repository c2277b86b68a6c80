import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { repoRoot } from '../repo.ts'

// The picture of the README: the beginning of the demo's dossier in a terminal of 100 columns.

const path = join(repoRoot, 'docs', 'pictures', 'dossier.svg')
const root = mkdtempSync(join(tmpdir(), 'tidemark-picture-'))
const address = '20.106.124.93'
const rows = 41

before(async () => {
  await copyLab(root)
  assert.equal(tidemark(['demo', '--out', root, '--json']).status, 0)
})
after(() => rmSync(root, { recursive: true, force: true }))

function dossier(env: Record<string, string>): string {
  const run = tidemark(['investigate', address, '--case', join(root, 'case.tidemark')], {
    env: { COLUMNS: '100', ...env },
  })
  assert.equal(run.status, 0, run.stderr)
  return run.stdout.split('\n').slice(0, rows).join('\n')
}

test('the picture in the README is what a terminal shows', () => {
  const drawn = spawnSync(
    process.execPath,
    [join(repoRoot, 'scripts', 'terminal-svg.mjs'), `tidemark investigate ${address} | head -${rows}`],
    { input: dossier({ FORCE_COLOR: '1' }), encoding: 'utf8' },
  )
  assert.equal(drawn.status, 0, drawn.stderr)
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, drawn.stdout)
  assert.equal(readFileSync(path, 'utf8'), drawn.stdout, 'node scripts/test.mjs pages/picture -u draws it again')
})

test('the words in the picture are the page without colours', () => {
  const lines = [...readFileSync(path, 'utf8').matchAll(/^<text y=.*$/gm)].map(([line]) =>
    line!
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
  )
  assert.equal(lines.join('\n'), dossier({}))
})
