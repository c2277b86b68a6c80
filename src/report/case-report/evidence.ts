/** What was recorded, what could not be seen, what was read, and how every figure can be had again. */
import type { Gap } from '../../investigate/dossier.ts'
import {
  type Block,
  code,
  fact,
  facts,
  fold,
  heading,
  inset,
  line,
  list,
  marked,
  paragraph,
  type Row,
  subheading,
  type Text,
  table,
} from '../block.ts'
import { coverageFigure } from '../drawings/coverage.ts'
import { countOf, numberOf, pathOf, timeOf, wordsOf } from '../figures.ts'
import type { CaseReport } from './document.ts'
import { undecidedBlocks } from './hosts.ts'

const filesMax = 1000
const gapsMax = 100
const problemsMax = 200

export function coverageBlocks(r: CaseReport): Block[] {
  const { sensors, sensors_total } = r.coverage
  return [
    heading('Coverage'),
    ...(sensors.length === 0 ? [paragraph('No record of the case has a time and a sensor.')] : coverageFigure(r)),
    ...(sensors_total > sensors.length
      ? [
          paragraph(
            line`${countOf(sensors_total, 'coverage.sensors_total')} sensors are in the case; those that recorded the subject, and those with the most records, are shown.`,
          ),
        ]
      : []),
    ...gapBlocks(r),
  ]
}

function gapBlocks({ dossier, detections }: CaseReport): Block[] {
  const [gaps, left, of, leftAt]: [readonly Gap[], number, string, string] =
    dossier !== null
      ? [dossier.attack_surface.gaps, dossier.not_listed.gaps, 'dossier.attack_surface.gaps', 'dossier.not_listed.gaps']
      : [
          detections!.coverage.gaps,
          detections!.coverage.gaps_not_listed,
          'detections.coverage.gaps',
          'detections.coverage.gaps_not_listed',
        ]
  if (gaps.length === 0) return [paragraph('No gap is known in the evidence of that time.')]
  const shown = gaps.slice(0, gapsMax)
  const rows = shown.map((gap, i): Row => {
    const at = `${of}.${i}`
    const where: Text =
      gap.path !== undefined
        ? pathOf(gap.path, `${at}.path`)
        : gap.sensor === null
          ? 'all sensors'
          : wordsOf(gap.sensor, `${at}.sensor`)
    return {
      cells: [
        where,
        gap.reason,
        timeOf(gap.from, `${at}.from`),
        timeOf(gap.to, `${at}.to`),
        wordsOf(gap.detail, `${at}.detail`),
      ],
    }
  })
  const columns = ['where', 'why', 'from', 'until', 'what it means'].map(title => ({ title }))
  return [
    table(columns, rows, 'Gaps of the evidence'),
    ...(gaps.length > shown.length || left > 0
      ? [
          paragraph(
            line`${countOf(gaps.length + left, `|${of}| + ${leftAt}`)} gaps in all; the first of them are shown.`,
          ),
        ]
      : []),
  ]
}

export function limitsBlocks(r: CaseReport): Block[] {
  const { dossier: d, detections } = r
  const [of, source] = d !== null ? ['dossier', d] : ['detections.coverage', detections!.coverage]
  const listOf = (texts: readonly string[], at: string): Block[] => [
    list(texts.map((one, i) => wordsOf(one, `${at}.${i}`))),
  ]
  return [
    heading('What could not be seen'),
    ...(source.cannot_tell.length === 0
      ? []
      : [paragraph('This evidence cannot tell:'), ...listOf(source.cannot_tell, `${of}.cannot_tell`)]),
    ...(source.not_logged.length === 0
      ? []
      : [paragraph('Flow logs never show:'), ...listOf(source.not_logged, `${of}.not_logged`)]),
    ...(detections === null ? [] : undecidedBlocks(detections)),
  ]
}

export function evidenceBlocks(r: CaseReport): Block[] {
  const { files, ledger_head } = r.evidence
  const sum = (name: 'records' | 'no_data' | 'skip_data' | 'malformed' | 'lines'): Text =>
    countOf(
      files.reduce((total, file) => total + file[name], 0),
      `evidence.files.*.${name}`,
    )
  return [
    heading('Evidence'),
    facts([
      fact('files', numberOf(files.length, 'evidence.files')),
      fact(
        'lines',
        line`${sum('lines')}: ${sum('records')} flow records, ${sum('no_data')} NODATA, ${sum('skip_data')} SKIPDATA, ${sum('malformed')} malformed`,
      ),
      fact('ledger head', marked({ kind: 'path', text: ledger_head }, 'evidence.ledger_head')),
    ]),
    paragraph(
      'The ledger is a chain of digests: its head holds those of all entries before it, and so of every file. tidemark verify checks both.',
    ),
    paragraph('Every file, with its digest, stands in the annex of files.'),
    ...problemBlocks(r),
  ]
}

/** Every file with its digest: what a court asks for, and few read. */
export function filesAnnex({ evidence: { files } }: CaseReport): Block[] {
  const shown = files.slice(0, filesMax)
  const shared = sharedStart(shown.map(({ path }) => path))
  return [
    heading('Annex: files of the evidence'),
    ...(shared === ''
      ? []
      : [paragraph(line`All of these paths begin with ${pathOf(`${shared}…`, 'evidence.files.0.path')}`)]),
    fold('Every file with its digest', [fileTable(shown, shared)]),
    ...(files.length > shown.length
      ? [
          paragraph(
            line`The first of ${numberOf(files.length, 'evidence.files')} files are listed; the JSON document has all.`,
          ),
        ]
      : []),
  ]
}

/** What all paths begin with, up to a separator; nothing where that is short, or where there is one path alone. */
function sharedStart(paths: readonly string[]): string {
  const [first = '', ...rest] = paths
  if (rest.every(path => path === first)) return ''
  const length = rest.reduce((most, path) => {
    let i = 0
    while (i < most && path[i] === first[i]) i++
    return i
  }, first.length)
  const end = Math.max(...['/', '\\', '_'].map(separator => first.lastIndexOf(separator, length - 1)))
  const start = first.slice(0, end + 1)
  return start.length > 12 && paths.every(path => path.length - start.length >= 12) ? start : ''
}

function fileTable(files: CaseReport['evidence']['files'], shared: string): Block {
  const right = { align: 'right' } as const
  const columns = [
    { title: 'file' },
    { title: 'records', ...right },
    { title: 'NODATA', ...right },
    { title: 'SKIPDATA', ...right },
    { title: 'malformed', ...right },
    { title: 'status' },
    { title: 'SHA-256' },
  ]
  const rows = files.map((file, i): Row => {
    const at = `evidence.files.${i}`
    return {
      cells: [
        pathOf(shared === '' ? file.path : `…${file.path.slice(shared.length)}`, `${at}.path`),
        countOf(file.records, `${at}.records`),
        countOf(file.no_data, `${at}.no_data`),
        countOf(file.skip_data, `${at}.skip_data`),
        countOf(file.malformed, `${at}.malformed`),
        file.problem === null ? file.status : line`${file.status}: ${wordsOf(file.problem, `${at}.problem`)}`,
        file.sha256 === null ? 'not known' : pathOf(file.sha256, `${at}.sha256`),
      ],
    }
  })
  return { ...table(columns, rows, 'Every file with its digest, as it was read'), isCompact: true }
}

function problemBlocks({ dossier, detections }: CaseReport): Block[] {
  const [problems, of] = dossier !== null ? [dossier.problems, 'dossier'] : [detections!.problems, 'detections']
  if (problems.length === 0) return []
  const items = problems.slice(0, problemsMax).map((one, i): Text => {
    const at = `${of}.problems.${i}`
    const where: Text = one.line === undefined ? '' : line`:${wordsOf(one.line, `${at}.line`)}`
    return line`${pathOf(one.path, `${at}.path`)}${where}: ${wordsOf(one.problem, `${at}.problem`)}`
  })
  return [
    subheading('In no figure of this report'),
    list(items),
    ...(problems.length > items.length
      ? [paragraph(line`${numberOf(problems.length, `${of}.problems`)} places in all; the JSON document has them.`)]
      : []),
  ]
}

/** The commands and the SQL that give the figures again. */
export function workBlocks({ dossier }: CaseReport): Block[] {
  if (dossier === null || dossier.work.length === 0) return []
  // Findings have theirs beside them.
  const items = dossier.work.flatMap((item, i) =>
    /^F\d+: /.test(item.figure) ? [] : [{ item, at: `dossier.work.${i}` }],
  )
  const blocks = items.flatMap(({ item: { figure, value, sql, shell }, at }) => [
    paragraph(
      line`${wordsOf(figure, `${at}.figure`)} = ${
        value === null
          ? 'unknown'
          : typeof value === 'string'
            ? wordsOf(value, `${at}.value`)
            : countOf(value, `${at}.value`)
      }`,
    ),
    inset(1, [code(sql, `${at}.sql`), ...(shell === null ? [] : [code(shell, `${at}.shell`)])]),
  ])
  return [
    heading('How to check the figures'),
    paragraph(
      'Each figure with the SQL that gives it (tidemark sql), and where awk can count it, a shell command over the raw files.',
    ),
    fold('The SQL and the commands', blocks, 'They are in the HTML, on a screen, and in the JSON.'),
  ]
}
