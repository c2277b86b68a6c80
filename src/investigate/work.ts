/** `--show-work`: for each figure the SQL and, where one exists, the shell line that gives it again. */
import { dirname } from 'node:path'
import type { Prefix } from '../net/prefix.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, shownSql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import { flowsSource } from '../store/flows-source.ts'
import type { Count, Dossier, ServiceRow, WorkItem } from './dossier.ts'

/**
 * What every awk line begins with: a header line, wherever it stands, names the columns of the lines after it. So one line serves folders
 * with several layouts, and headers are never counted.
 */
const byName = '/(^| )start( |$)/ && /(^| )end( |$)/ { split("", c); for (i = 1; i <= NF; i++) c[$i] = i; next }'
const isRecord = '(!("log-status" in c) || $c["log-status"] == "OK")'

export function showWork(c: Case, subject: readonly Prefix[], dossier: Dossier): WorkItem[] {
  const asking = askingOf(c, subject)
  return [
    ...recordItems(c, dossier, asking),
    ...windowItems(dossier, asking),
    ...portItems(dossier, asking),
    ...dossier.findings.map(({ id, title, basis_total, sql: query }) => ({
      figure: `${id}: ${title}`,
      value: basis_total,
      sql: query,
      shell: null,
    })),
  ]
}

/** What the questions have in common, in SQL and in awk; null where awk cannot tell. */
interface Asking {
  source: Sql
  mine: Sql
  awk: (program: string) => string | null
  /** @param action for each record of the subject. */
  ofSubject: (action: string, end: string) => string | null
}

function askingOf(c: Case, subject: readonly Prefix[]): Asking {
  const read = readCommand(c)
  // awk compares text: it can be asked for single IPv4 addresses only.
  const addresses =
    subject.every(prefix => /^[0-9.]+$/.test(prefix.text)) && !c.columns.has('pkt_srcaddr')
      ? subject.map(prefix => prefix.text)
      : null
  const own = addresses?.map(address => `$c["srcaddr"] == "${address}" || $c["dstaddr"] == "${address}"`).join(' || ')
  const awk = (program: string): string | null => (read === null ? null : `${read} | awk '${byName} ${program}'`)
  return {
    source: rawSql(flowsSource(c)),
    mine: subjectSql(c, subject),
    awk,
    ofSubject: (action, end) =>
      own === undefined ? null : awk(`${isRecord} && (${own}) { ${action} } END { ${end} }`),
  }
}

function item(figure: string, value: string | Count | null, query: Sql, shell: string | null): WorkItem {
  return { figure, value, sql: shownSql(query), shell }
}

function recordItems(c: Case, { records }: Dossier, { source, mine, awk, ofSubject }: Asking): WorkItem[] {
  const rejected = (): WorkItem =>
    item(
      'records.rejected',
      records.rejected,
      sql`SELECT count(*) FROM ${source} WHERE (${mine}) AND action = 'REJECT'`,
      ofSubject('if ($c["action"] == "REJECT") n++', 'print n + 0'),
    )
  return [
    item(
      'records.total',
      records.total,
      sql`SELECT count(*) FROM ${source}`,
      awk(`${isRecord} { n++ } END { print n + 0 }`),
    ),
    item(
      'records.subject',
      records.subject,
      sql`SELECT count(*) FROM ${source} WHERE ${mine}`,
      ofSubject('n++', 'print n + 0'),
    ),
    ...(c.source === 'logs' ? [rejected()] : []),
  ]
}

function windowItems({ window }: Dossier, { source, mine, ofSubject }: Asking): WorkItem[] {
  return [
    item(
      'window.first_start',
      window.first_start,
      sql`SELECT min(start) FROM ${source} WHERE ${mine}`,
      ofSubject('if (m == "" || $c["start"] < m) m = $c["start"]', 'print m'),
    ),
    item(
      'window.last_start',
      window.last_start,
      sql`SELECT max(start) FROM ${source} WHERE ${mine}`,
      ofSubject('if ($c["start"] > m) m = $c["start"]', 'print m'),
    ),
    item(
      'window.last_end',
      window.last_end,
      sql`SELECT max("end") FROM ${source} WHERE ${mine}`,
      ofSubject('if ($c["end"] > m) m = $c["end"]', 'print m'),
    ),
  ]
}

function portItems(dossier: Dossier, { source, mine, ofSubject }: Asking): WorkItem[] {
  const sides = [
    ['source', 'srcport'],
    ['destination', 'dstport'],
  ] as const
  const rows = dossier.ports.filter(row => serviceHas(dossier.services, row.port))
  return rows.flatMap(row =>
    sides.map(([side, column]) =>
      item(
        `ports: bytes with ${side} port ${row.port}, protocol ${row.protocol}`,
        row[`as_${side}`].bytes,
        sql`SELECT coalesce(sum(bytes), 0) FROM ${source} WHERE (${mine}) AND ${rawSql(column)} = ${row.port} AND protocol = ${row.protocol}`,
        ofSubject(
          `if ($c["${column}"] == ${row.port} && $c["protocol"] == ${row.protocol}) n += $c["bytes"]`,
          'printf "%d\\n", n',
        ),
      ),
    ),
  )
}

/** Services beyond these are left to the finding's own SQL. */
const portsShownMax = 20

function serviceHas(services: readonly ServiceRow[], port: number): boolean {
  return services.slice(0, portsShownMax).some(service => service.port === port)
}

function subjectSql(c: Case, subject: readonly Prefix[]): Sql {
  const names = ['srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr'].filter(name => c.columns.has(name))
  const tests = names.map(name => inAnyPrefix(`${name}.hi`, `${name}.lo`, subject))
  return { text: tests.map(test => test.text).join(' OR ') || 'false', values: tests.flatMap(test => test.values) }
}

/** The command that prints all lines of the case's logs, or null if some of them are not text with headers, or not alone in their folder. */
function readCommand(c: Case): string | null {
  const kept = c.evidence.filter(file => file.id !== null)
  const isLog = (file: (typeof kept)[number]): boolean => file.capture === null && file.nfcapd === null
  const files = kept.filter(isLog)
  if (
    files.length === 0 ||
    files.some(file => file.kind === 'vpc-flow-log-parquet' || file.header_lines === 0 || file.status !== 'read')
  )
    return null
  if (files.some(file => file.path.endsWith('.zst'))) return null
  const folders = [...new Set(files.map(file => dirname(file.path)))]
  if (folders.length > 4) return null
  if (kept.some(file => !isLog(file) && folders.includes(dirname(file.path)))) return null
  const globs = folders.map(folder => `${shellWord(folder)}/*`)
  return `zcat -f ${globs.join(' ')}`
}

/** A word that a shell takes as it is. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
