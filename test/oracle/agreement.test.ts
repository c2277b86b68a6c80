import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import type { RejectTriage } from '../../src/investigate/dossier.ts'
import { investigate } from '../../src/investigate/investigate.ts'
import { openCase } from '../../src/store/case.ts'
import { investigateSlow, type OracleDossier, type OracleEvidence, readFolder } from './oracle.ts'
import { writeRandomFolder } from './random-folder.ts'
import { rejectsSlow } from './rejects.ts'

const folders = Number(process.env['TIDEMARK_ORACLE_FOLDERS'] ?? 25)
const first = Number(process.env['TIDEMARK_ORACLE_SEED'] ?? 1)

/** Only what the oracle knows, with counts as text: it keeps them as bigints, we as numbers where they fit. */
function comparable(value: unknown, shape: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value)
  if (Array.isArray(value))
    return value.map((item, i) => comparable(item, Array.isArray(shape) ? (shape[i] ?? shape[0]) : undefined))
  if (value !== null && typeof value === 'object') {
    const keys =
      shape !== null && typeof shape === 'object' && !Array.isArray(shape) ? Object.keys(shape) : Object.keys(value)
    return Object.fromEntries(
      keys
        .sort()
        .map(key => [
          key,
          comparable((value as Record<string, unknown>)[key], (shape as Record<string, unknown> | undefined)?.[key]),
        ]),
    )
  }
  return value
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))
const sorted = (list: unknown[]): unknown[] => [...list].sort((a, b) => (text(a) < text(b) ? -1 : 1))

function figures(
  dossier: OracleDossier | Awaited<ReturnType<typeof investigate>>,
  folder: string | null,
): Record<string, unknown> {
  const gaps = dossier.attack_surface.gaps.map(({ sensor, from, to, reason, ...rest }) => {
    const path = 'path' in rest && rest.path ? rest.path : null
    return { sensor, from, to, reason, path: path !== null && folder !== null ? relative(folder, path) : path }
  })
  const service = (row: object): object => {
    const {
      name: _name,
      findings: _findings,
      longest_seconds: _longest,
      role_rule: _rule,
      ...rest
    } = row as Record<string, unknown>
    return rest
  }
  const surface = dossier.attack_surface
  return {
    subject: dossier.subject,
    window: dossier.window,
    records: dossier.records,
    bytes: { from_subject: dossier.bytes.from_subject, to_subject: dossier.bytes.to_subject },
    packets: { from_subject: dossier.packets.from_subject, to_subject: dossier.packets.to_subject },
    ports: sorted(dossier.ports.map(row => comparable(row, row)) as unknown[]),
    services: sorted(dossier.services.map(service).map(row => comparable(row, row)) as unknown[]),
    complete: surface.complete,
    gaps: sorted(gaps),
    surface: (['answered', 'refused', 'unanswered', 'rejected'] as const).map(name => sorted(surface[name])),
    vantages: sorted(dossier.vantages.map(row => comparable(row, row)) as unknown[]),
  }
}

/** What explains rejected records, by the row of the table in dossier.md. */
const rowsBy = [
  ...['block-public-access', 'encryption-control', 'not-decidable', 'not-decidable', 'none', 'not-decidable'],
  ...['not-decidable', 'late', 'not-decidable', 'late', 'not-decidable', 'return-path', 'not-decidable'],
  ...['not-decidable', 'not-decidable', 'none'],
]
/** Rows of which a reason is the same. */
const sameReason = new Map([
  [11, 6],
  [13, 9],
])
const rowsSeen = new Set<number>()

/** Explanations with their records: of those that have the same name, one for each reason. */
function explainedBy({ total, explained }: RejectTriage): unknown {
  assert.equal(
    total,
    explained.reduce((sum, { records }) => sum + records, 0),
  )
  return sorted(explained.map(({ by, records }) => ({ by, records })))
}

function explainedSlow(evidence: OracleEvidence, subjects: string[]): unknown {
  const counts = new Map<number, number>()
  for (const { row } of rejectsSlow(evidence, subjects)) {
    rowsSeen.add(row)
    const reason = sameReason.get(row) ?? row
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return sorted([...counts].map(([row, records]) => ({ by: rowsBy[row - 1], records })))
}

test(`the case agrees with a slow implementation on every figure of ${folders} random folders`, async t => {
  for (let seed = first; seed < first + folders; seed++) {
    const root = await mkdtemp(join(tmpdir(), 'tidemark-agree-'))
    try {
      const folder = join(root, 'logs')
      const { subjects } = writeRandomFolder(folder, seed)
      const evidence = readFolder(folder)
      const report = await addEvidence({
        case: join(root, 'case'),
        paths: [folder],
        workers: 1,
        rowsPerSegment: 64 * (1 + (seed % 4)),
      })
      for (const file of evidence.files) {
        const ours = report.files.find(one => relative(folder, one.path) === file.path)
        const { path: _path, problems: _problems, first_start_ms: _a, last_end_ms: _b, ...expected } = file
        assert.deepEqual(comparable(ours, expected), comparable(expected, expected), `seed ${seed}, ${file.path}`)
        const lines = report.problems.filter(
          problem => relative(folder, problem.path) === file.path && problem.line !== undefined,
        )
        const named = lines.flatMap(({ line = 0, line_to = line }) =>
          Array.from({ length: line_to - line + 1 }, (_, i) => line + i),
        )
        if (file.malformed > 0)
          assert.deepEqual(
            named,
            file.problems.map(problem => problem.line),
            `seed ${seed}, problems of ${file.path}`,
          )
      }
      const c = await openCase(join(root, 'case'))
      try {
        const dossier = await investigate(c, subjects)
        assert.deepEqual(explainedBy(dossier.rejects), explainedSlow(evidence, subjects), `seed ${seed}, rejects`)
        const found = figures(dossier, folder)
        const expected = figures(investigateSlow(evidence, subjects), null)
        for (const name of Object.keys(expected)) {
          assert.deepEqual(
            JSON.parse(text(comparable(found[name], undefined))),
            JSON.parse(text(comparable(expected[name], undefined))),
            `seed ${seed}, ${name}, subjects ${subjects}`,
          )
        }
      } finally {
        await c.close()
      }
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  }
  t.diagnostic(`rows of the table of rejected records that came: ${[...rowsSeen].sort((a, b) => a - b).join(' ')}`)
  t.diagnostic(`${folders} folders from seed ${first}`)
})
