/** `--show-work`: for each figure the SQL and, where one exists, the shell line that gives it again. */
import { dirname, join } from 'node:path'
import type { Prefix } from '../net/prefix.ts'
import {
  aggregate,
  all,
  any,
  column,
  constant,
  count,
  equal,
  firstKnown,
  inPrefixes,
  named,
  select,
  trusted,
} from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Expression, Relation } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import { quotedString } from '../store/duckdb.ts'
import { caseFiles } from '../store/files.ts'
import { flowsSource } from '../store/flows-source.ts'
import { notOfParts } from '../store/pulled.ts'
import { isMetered } from '../store/reports.ts'
import { notOfFiles } from '../store/standing.ts'
import { addressColumns } from '../store/views.ts'
import type { Count, Dossier, WorkItem } from './dossier.ts'
import { partOfFlows } from './selection.ts'

/**
 * What every awk line begins with: a header line, wherever it stands, names the columns of the lines after it. So one line serves folders
 * with several layouts, and headers are never counted.
 */
const byName = '/(^| )start( |$)/ && /(^| )end( |$)/ { split("", c); for (i = 1; i <= NF; i++) c[$i] = i; next }'
const isRecord = '(!("log-status" in c) || $c["log-status"] == "OK")'

/** @param part a condition for the records that the dossier is about; null: all. */
export function showWork(c: Case, subject: readonly Prefix[], dossier: Dossier, part: string | null): WorkItem[] {
  const asking = askingOf(c, subject, part)
  return [
    ...recordItems(c, dossier, asking),
    ...windowItems(dossier, asking),
    ...portItems(dossier, asking),
    ...dossier.findings.map(({ id, title, basis_total, sql }) => ({
      figure: `${id}: ${title}`,
      value: basis_total,
      sql,
      shell: null,
    })),
  ]
}

/** What the questions have in common, in SQL and in awk; null where awk cannot tell. */
interface Asking {
  source: Relation
  /** The flow records of the whole case. */
  all: Relation
  mine: Expression
  awk: (program: string) => string | null
  /** @param action for each record of the subject. */
  ofSubject: (action: string, end: string) => string | null
}

function askingOf(c: Case, subject: readonly Prefix[], part: string | null): Asking {
  const read = readCommand(c)
  // awk compares text: it can be asked for single IPv4 addresses only.
  const addresses =
    part === null && subject.every(prefix => /^[0-9.]+$/.test(prefix.text)) && !c.columns.has('pkt_srcaddr')
      ? subject.map(prefix => prefix.text)
      : null
  const own = addresses?.map(address => `$c["srcaddr"] == "${address}" || $c["dstaddr"] == "${address}"`).join(' || ')
  const awk = (program: string): string | null => (read === null ? null : `${read} | awk '${byName} ${program}'`)
  return {
    source: trusted(partOfFlows(c, part), []),
    all: trusted(flowsSource(c), []),
    mine: isOfSubject(c, subject),
    awk,
    ofSubject: (action, end) =>
      own === undefined ? null : awk(`${isRecord} && (${own}) { ${action} } END { ${end} }`),
  }
}

/** A figure, and the records that it sums. */
interface Sum {
  figure: string
  value: string | Count | null
  sum: Expression
  where: Expression | null
}

function item({ figure, value, sum, where }: Sum, { source }: Asking, shell: string | null): WorkItem {
  return { figure, value, sql: duckdb.shown(select([named(sum, 'value')], { from: source, where })), shell }
}

function recordItems(c: Case, { records }: Dossier, asking: Asking): WorkItem[] {
  const { mine, awk, ofSubject } = asking
  const ofRecords = (
    name: 'total' | 'subject' | 'rejected',
    where: Expression | null,
    shell: string | null,
  ): WorkItem => item({ figure: `records.${name}`, value: records[name], sum: count(), where }, asking, shell)
  const isRejected = equal(column('action'), constant('REJECT'))
  const rejected = ofSubject('if ($c["action"] == "REJECT") n++', 'print n + 0')
  return [
    // Of what was left on an engine the sums are here.
    notOfParts(c.pulled) === null
      ? ofRecords('total', null, awk(`${isRecord} { n++ } END { print n + 0 }`))
      : { figure: 'records.total', value: records.total, sql: totalBehind(c), shell: null },
    ofRecords('subject', mine, ofSubject('n++', 'print n + 0')),
    ...(c.source === 'logs' ? [ofRecords('rejected', all([mine, isRejected]), rejected)] : []),
  ]
}

/** What was pulled, by its sums, and the records of other files. */
function totalBehind(c: Case): string {
  const path = join(c.dir, caseFiles.segments, 'pulled-*.parquet')
  const out = c.out.flatMap(file => file.id ?? [])
  const sums = `SELECT sum(records) AS n FROM read_parquet(${quotedString(path)})${out.length === 0 ? '' : ` WHERE ${notOfFiles(out)}`}`
  const others = `SELECT count(*) FROM ${flowsSource(c)} WHERE ${notOfParts(c.pulled)}`
  return `SELECT sum(n)::BIGINT AS value FROM (${sums} UNION ALL ${others})`
}

function windowItems({ window }: Dossier, asking: Asking): WorkItem[] {
  const { mine, ofSubject } = asking
  const ofWindow = (
    name: 'first_start' | 'last_start' | 'last_end',
    which: 'min' | 'max',
    field: 'start' | 'end',
    better: string,
  ): WorkItem =>
    item(
      { figure: `window.${name}`, value: window[name], sum: aggregate(which, column(field)), where: mine },
      asking,
      ofSubject(`if (${better}) m = $c["${field}"]`, 'print m'),
    )
  return [
    ofWindow('first_start', 'min', 'start', 'm == "" || $c["start"] < m'),
    ofWindow('last_start', 'max', 'start', '$c["start"] > m'),
    ofWindow('last_end', 'max', 'end', '$c["end"] > m'),
  ]
}

function portItems(dossier: Dossier, asking: Asking): WorkItem[] {
  const { mine, ofSubject } = asking
  const known = aggregate('sum', column('bytes'))
  // Of records none of which says its bytes there is no sum; of no records it is zero.
  const sumOf = (value: Count | null): Expression => (value === null ? known : firstKnown(known, constant(0)))
  const sides = [
    ['source', 'srcport'],
    ['destination', 'dstport'],
  ] as const
  const ports = new Set(dossier.services.slice(0, portsShownMax).map(service => service.port))
  const rows = dossier.ports.filter(row => ports.has(row.port))
  return rows.flatMap(row =>
    sides.map(([side, port]) => {
      const isThere = [equal(column(port), constant(row.port)), equal(column('protocol'), constant(row.protocol))]
      const figure = `ports: bytes with ${side} port ${row.port}, protocol ${row.protocol}`
      const test = `$c["${port}"] == ${row.port} && $c["protocol"] == ${row.protocol}`
      return item(
        { figure, value: row[`as_${side}`].bytes, sum: sumOf(row[`as_${side}`].bytes), where: all([mine, ...isThere]) },
        asking,
        row[`as_${side}`].bytes === null ? null : ofSubject(`if (${test}) n += $c["bytes"]`, 'printf "%d\\n", n'),
      )
    }),
  )
}

/** Services beyond these are left to the finding's own SQL. */
const portsShownMax = 20

function isOfSubject(c: Case, subject: readonly Prefix[]): Expression {
  return any(addressColumns(c).map(name => inPrefixes(column(name), subject)))
}

/** The command that prints all lines of the case's logs, or null if some of them are not text with headers, or not alone in their folder. */
function readCommand(c: Case): string | null {
  if (c.pulled !== null) return null
  const kept = c.evidence.filter(file => file.id !== null)
  const isLog = (file: (typeof kept)[number]): boolean => !isMetered(file)
  const files = kept.filter(file => isLog(file) && file.kind !== 'archive')
  if (
    files.length === 0 ||
    files.some(file => file.kind === 'vpc-flow-log-parquet' || file.header_lines === 0 || file.status !== 'read')
  )
    return null
  if (files.some(file => file.archive !== null || file.form !== null || /\.(?:zst|xz|bz2)$/.test(file.path)))
    return null
  // Sorted: files are entered in the order in which the threads that read them came to an end.
  const folders = [...new Set(files.map(file => dirname(file.path)))].sort()
  if (folders.length > 4) return null
  const paths = new Set(files.map(file => file.path))
  const others = [...kept, ...c.out].filter(file => !paths.has(file.path))
  if (others.some(file => folders.includes(dirname(file.path)))) return null
  const globs = folders.map(folder => `${shellWord(folder)}/*`)
  return `zcat -f ${globs.join(' ')}`
}

/** A word that a shell takes as it is. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
