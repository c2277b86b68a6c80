import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { queryFlows } from '../../src/flows/run.ts'
import type { ViewAsk, Window } from '../../src/server/contract/common.ts'
import type {
  GapsAnswer,
  HostsAnswer,
  HostsAsk,
  JudgedAnswer,
  PanelsAnswer,
  PanelsAsk,
  RangeAnswer,
  RangeAsk,
  ServicesAnswer,
  ServicesAsk,
  TimelineAnswer,
  TimelineAsk,
  WhyAnswer,
  WhyAsk,
} from '../../src/server/contract/view.ts'
import { panelsWork } from '../../src/server/work/panels.ts'
import { viewWork } from '../../src/server/work/view.ts'
import type { Case } from '../../src/store/case.ts'
import { tidemark } from '../cli/run.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { pick, randomFrom } from '../filter/flows.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { writeRandomFolder } from '../oracle/random-folder.ts'
import { asked } from './asking.ts'
import { filterIn, plainView } from './plain-view.ts'

/** Windows of each case. */
const rounds = Number(process.env['TIDEMARK_VIEWS'] ?? 12)
const random = randomFrom(Number(process.env['TIDEMARK_SEED'] ?? 15))
const everything: ViewAsk = { filter: '', raw: false, own: [] }
const always: Window = { from: null, to: null }
const filters = [
  '',
  '',
  'port 443',
  'dst port 22 or proto udp',
  'src net 10.0.0.0/8',
  'bytes > 1000',
  'not action REJECT',
]

describe('what the overview shows', () => {
  let work: Work
  const cases: Record<string, Case> = {}

  before(async () => {
    work = workFolder()
    const at = (name: string): string => join(work.root, name)
    mkdirSync(at('lab'))
    await copyLab(at('lab'))
    cases['lab'] = await caseOf(work.root, [join(at('lab'), '20230928')], 'case-lab')
    writeLog(at('any.log'), randomLines(900, 7))
    cases['random'] = await caseOf(work.root, [at('any.log')], 'case-random')
    mkdirSync(at('folder'))
    writeRandomFolder(at('folder'), 21)
    cases['folder'] = await caseOf(work.root, [at('folder')], 'case-folder')
  })
  after(async () => {
    for (const c of Object.values(cases)) await c.close()
    work.close()
  })

  const view = <Answer>(c: Case, kind: string, question: object): Promise<Answer> => asked(viewWork, c, kind, question)
  const beside = <Answer>(c: Case, kind: string, question: object): Promise<Answer> =>
    asked(panelsWork, c, kind, question)
  const timelineOf = async (c: Case, question: Partial<TimelineAsk> = {}): Promise<TimelineAnswer> => {
    await view(c, 'open timeline', {})
    const whole: TimelineAsk = { view: everything, zoom: always, measure: 'bytes', stack: 'ports', ...question }
    return view(c, 'timeline', whole)
  }

  test('every figure of the panels of any window equals plain questions', async () => {
    for (const [name, c] of Object.entries(cases)) {
      const { span } = await timelineOf(c)
      for (let round = 0; round < rounds; round++) {
        const length = span!.last + 1 - span!.first
        const from = span!.first + Math.floor(random() * length)
        const window = round === 0 ? always : { from, to: from + 1 + Math.floor(random() ** 2 * length) }
        const ask: ViewAsk = { ...everything, filter: pick(random, filters), raw: random() < 0.3 }
        const order = pick(random, ['bytes', 'records'] as const)
        const question: RangeAsk = { view: ask, window, order, top: 12, complete: true }
        const range = await view<RangeAnswer>(c, 'range', question)
        const says = `${name} ${JSON.stringify(question)}`
        const plain = await plainView(c, ask, window, order, 12)
        const { untimed, ...totals } = range.totals
        assert.deepEqual(totals, plain.totals, says)
        assert.equal(untimed === null, round > 0, says)
        assert.deepEqual(range.hosts.rows, plain.hosts, says)
        assert.ok(range.hosts.exact)
        const ports = range.ports.rows.map(({ port, records }) => [port, records])
        assert.deepEqual(
          ports,
          ports.map(([port]) => [port, plain.ports.get(port as number | null)]),
          says,
        )
        assert.equal(range.ports.of, plain.ports.size, says)
        if (range.sensors.of !== null) assert.deepEqual(range.sensors.rows, plain.sensors.slice(0, 12), says)
        assert.deepEqual(range.actions.rows, plain.actions, says)
        assert.deepEqual(range.protocols.rows, plain.protocols, says)
      }
    }
  })

  test('a bar is of the records that begin in it, stacked whichever way', async () => {
    const c = cases['lab']!
    for (const stack of ['ports', 'actions', 'ways'] as const) {
      for (const measure of ['bytes', 'packets', 'records'] as const) {
        const ask = { ...everything, filter: pick(random, filters) }
        const { series, outline } = await timelineOf(c, { view: ask, measure, stack })
        const { from, width, layers } = series!
        const bins = layers[0]!.values.length
        for (let i = 0; i < 3; i++) {
          const bin = Math.floor(random() * bins)
          const window = { from: from + bin * width, to: from + (bin + 1) * width }
          const sum = layers.reduce((all, { values }) => all + Number(values[bin]), 0)
          const total = async (of: ViewAsk): Promise<number> => {
            const { counting } = await queryFlows(c, { filter: filterIn(of, window), by: [] })
            return Number(counting[measure])
          }
          assert.equal(sum, await total(ask))
          if (outline !== null) assert.equal(outline[bin], await total(everything))
        }
      }
    }
    const { series, strip, totals, whole } = await timelineOf(c, { view: { ...everything, filter: 'dst port 8889' } })
    assert.deepEqual(
      series!.layers.slice(0, 1).map(({ key }) => key),
      [{ port: 8889 }],
    )
    const added = (values: readonly unknown[]): number => values.reduce<number>((sum, one) => sum + Number(one), 0)
    assert.equal(added(strip!.values), totals.bytes)
    assert.equal(added(strip!.whole), whole.bytes)
  })

  test('hosts stand in the order of what they sent, received or moved', async () => {
    const c = cases['lab']!
    for (const [order, by] of [
      ['sent', 'srcip'],
      ['received', 'dstip'],
    ] as const) {
      const question: HostsAsk = { view: everything, window: always, order, top: 20 }
      const { rows, exact } = await view<HostsAnswer>(c, 'hosts', question)
      const result = await queryFlows(c, { by: [by], order: 'bytes', limit: 20 })
      const wanted: unknown[] = []
      for await (const row of result.rows()) wanted.push(row['bytes'])
      assert.deepEqual(
        rows.map(row => row[order]),
        wanted,
      )
      assert.ok(exact)
    }
    const { rows } = await view<HostsAnswer>(c, 'hosts', { view: everything, window: always, order: 'bytes', top: 5 })
    assert.deepEqual(
      rows.map(({ host, internal }) => internal === /^10\./.test(host!)),
      [true, true, true, true, true],
    )
  })

  test('the command that is printed for a panel gives its figures', async () => {
    const c = cases['lab']!
    const window = { from: Date.UTC(2023, 8, 28, 19, 30) / 1000, to: Date.UTC(2023, 8, 28, 20, 30) / 1000 }
    const ask: ViewAsk = { ...everything, filter: "dst port 8889 or port 22 # it's the tunnel" }
    const question: PanelsAsk = { view: ask, window, order: 'bytes', top: 12 }
    const range = await view<RangeAnswer>(c, 'range', { ...question, complete: true } satisfies RangeAsk)
    const panels = await beside<PanelsAnswer>(c, 'panels', question)
    const run = (name: keyof PanelsAnswer): { rows: Record<string, unknown>[]; counting: Record<string, unknown> } => {
      const { command, sentence, sql } = panels[name]
      assert.match(sentence, /8889/)
      assert.match(sql, /SELECT/)
      // As a shell reads it.
      const words = [...command.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(
        ([, quoted, word]) => word ?? quoted!.replaceAll("'\\''", "'"),
      )
      assert.equal(words.shift(), 'tidemark')
      const { stdout, stderr } = tidemark([...words, '--json'])
      return JSON.parse(stdout === '' ? stderr : stdout) as ReturnType<typeof run>
    }
    const { collapsed, records, bytes } = range.totals
    const { counting } = run('totals')
    assert.deepEqual([counting['collapsed'], counting['records'], counting['bytes']], [collapsed, records, bytes])
    const listed = (name: keyof PanelsAnswer, key: string): unknown[] =>
      run(name).rows.map(row => [row[key], row['records'], row['rejected'], row['bytes']])
    const volume = (row: { records: unknown; rejected: unknown; bytes: unknown }): unknown[] => [
      ...[row.records, row.rejected, row.bytes],
    ]
    assert.deepEqual(
      listed('hosts', 'ip'),
      range.hosts.rows.map(row => [row.host, ...volume(row)]),
    )
    assert.deepEqual(
      listed('ports', 'server_port'),
      range.ports.rows.map(row => [row.port, ...volume(row)]),
    )
    assert.deepEqual(
      listed('sensors', 'sensor'),
      range.sensors.rows.map(row => [row.sensor, ...volume(row)]),
    )
    assert.deepEqual(
      listed('actions', 'action'),
      range.actions.rows.map(row => [row.action, ...volume(row)]),
    )
    assert.deepEqual(
      listed('protocols', 'protocol'),
      range.protocols.rows.map(row => [row.protocol, ...volume(row)]),
    )
  })

  test('where nothing matches it is said without which term something would', async () => {
    const c = cases['lab']!
    const question: WhyAsk = { view: { ...everything, filter: 'dst port 8889 and proto udp' }, window: always }
    const { terms } = await beside<WhyAnswer>(c, 'why', question)
    const count = async (filter: string): Promise<unknown> => (await queryFlows(c, { filter, by: [] })).counting.records
    assert.deepEqual(terms, [
      {
        term: 'dst port 8889',
        filter: 'proto udp',
        records: await count('proto udp'),
        alone: await count('dst port 8889'),
      },
      {
        term: 'proto udp',
        filter: 'dst port 8889',
        records: await count('dst port 8889'),
        alone: await count('proto udp'),
      },
    ])
    const late = { from: 2_000_000_000, to: 2_000_000_060 }
    const outside = await beside<WhyAnswer>(c, 'why', { view: everything, window: late } satisfies WhyAsk)
    assert.deepEqual(
      outside.terms.map(({ term, records }) => [term, records]),
      [[null, await count('')]],
    )
  })

  test('services are judged when somebody asks for it, and it is said before', async () => {
    const c = cases['lab']!
    const own = { own: [] }
    assert.deepEqual(await beside<JudgedAnswer>(c, 'judged', own), { judged: false, seconds: 2 })
    await beside(c, 'judge', own)
    assert.equal((await beside<JudgedAnswer>(c, 'judged', own)).judged, true)
    const question: ServicesAsk = { view: everything, window: always, order: 'bytes', top: 3 }
    const { rows, of, asked } = await beside<ServicesAnswer>(c, 'services', question)
    const result = await queryFlows(c, { stat: { element: 'service' }, order: 'bytes', limit: 3 })
    const wanted: unknown[] = []
    for await (const { service, bytes } of result.rows()) wanted.push([service, bytes])
    assert.deepEqual(
      rows.map(({ service, bytes }) => [service, bytes]),
      wanted,
    )
    assert.equal(of, result.total_rows)
    assert.match(asked.command, /-A service -O bytes -n 3$/)
  })

  test('gaps say what is missing, of which sensor, and when', async () => {
    const { gaps } = await beside<GapsAnswer>(cases['folder']!, 'gaps', {})
    for (const { kind, from, to, says } of gaps) {
      assert.notEqual(kind, '')
      assert.notEqual(says, '')
      assert.ok(from === null || to === null || from <= to)
    }
    assert.deepEqual((await beside<GapsAnswer>(cases['lab']!, 'gaps', {})).gaps, [])
  })
})
