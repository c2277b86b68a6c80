// Measures what a report takes beyond the dossier, and how large it is.
//
//   node bench/report.mjs CASE ADDRESS [RUNS]
//
// The report has its controls with their trial; the conversations of the case are there after the first run.
// CPU of the processes, user and system: wall time says little where others work. The median of the runs.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [caseDir, address, runs = '3'] = process.argv.slice(2)
if (address === undefined) {
  process.stderr.write('usage: node bench/report.mjs CASE ADDRESS [RUNS]\n')
  process.exit(2)
}
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-report-'))

try {
  const dossier = median(['investigate', address, '--json'])
  const report = median(['report', address, '-o', join(folder, 'r.html'), '--force'])
  const size = statSync(join(folder, 'r.html')).size
  print('dossier', dossier)
  print('report', report)
  process.stdout.write(
    `beyond the dossier: ${(report.wall - dossier.wall).toFixed(2)} s wall, ${(report.cpu - dossier.cpu).toFixed(2)} s CPU (bar 2 s)\n`,
  )
  process.stdout.write(`file: ${(size / 1e6).toFixed(2)} MB (bar 2 MB on the lab)\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function median(args) {
  // The first run fills the caches of the case and of the system.
  run(args)
  const all = Array.from({ length: Number(runs) }, () => run(args))
  return all.sort((a, b) => a.cpu - b.cpu)[all.length >> 1]
}

function run(args) {
  const begun = performance.now()
  const { status, stderr } = spawnSync(
    '/bin/sh',
    ['-c', '"$@" > /dev/null; s=$?; times >&2; exit $s', 'sh', process.execPath, main, '--case', caseDir, ...args],
    {
      encoding: 'utf8',
    },
  )
  if (status !== 0 && status !== 3) throw new Error(`status ${status}: ${stderr}`)
  const wall = (performance.now() - begun) / 1000
  // `times`: of the shell, then of its children, as 0m1.200s.
  const cpu = [
    ...stderr
      .trim()
      .split('\n')
      .at(-1)
      .matchAll(/(\d+)m([\d.]+)s/g),
  ].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
  return { wall, cpu }
}

function print(name, { wall, cpu }) {
  process.stdout.write(`${name}: ${wall.toFixed(2)} s wall, ${cpu.toFixed(2)} s CPU\n`)
}
