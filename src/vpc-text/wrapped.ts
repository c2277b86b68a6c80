import { layoutOfHeader } from './header.ts'

/**
 * Flow records that stand in something else: JSON, the CSV of a console, lines of syslog. They are not taken out of it here, for what
 * is around them may have been altered or cut; but what they are in, and how to take them out, is told.
 */

const statusWords = ['ACCEPT', 'REJECT', 'OK', 'NODATA', 'SKIPDATA']

export function looksLikeRecord(line: string): boolean {
  const words = line.split(' ')
  return words.length >= 8 && words.some(word => statusWords.includes(word))
}

/** Unlike prose with such words in it. */
export function isSurelyRecord(line: string): boolean {
  return looksLikeRecord(line) && line.split(' ').filter(word => /^\d+$/.test(word)).length >= 3
}

/** Also unlike the lines of a web server, in which "200 OK" is as common. */
function isRecordWithin(text: string): boolean {
  if (!isSurelyRecord(text)) return false
  const words = text.split(' ')
  return (
    words.some(word => word !== 'OK' && statusWords.includes(word)) ||
    words.filter(word => /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+)$/.test(word)).length >= 2
  )
}

/** How the records of a text are wrapped, and what to do about it; null where none are. `fields`: how many `--format` names. */
export function wrappingOf(text: string, fields: number | null): string | null {
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '')
  const [first = ''] = lines
  if (/^\s*[[{]/.test(first)) return wrappingInJson(text)
  return wrappingInCells(lines) ?? wrappingInLines(lines, fields)
}

const addIt = 'and add that with --format'

function wrappingInJson(text: string): string | null {
  for (const [, key, value] of text.matchAll(/(?:"(\w{1,64})"\s*:\s*)?"([^"\\]*(?:\\.[^"\\]*)*)"/gs)) {
    const parts = value!.split(/\\[nrt]/).map(part => part.trim())
    if (!parts.some(isRecordWithin)) continue
    const isOnTop = key !== undefined && new RegExp(`^\\s*\\{[^{}[\\]]*"${key}"\\s*:`).test(text)
    const path = key === undefined ? '.. | strings' : isOnTop ? `.${key}` : `.. | .${key}? | strings`
    const command = `jq -r ${path.includes(' ') ? `'${path}'` : path} FILE > FILE.log`
    return `JSON with flow records${key === undefined ? '' : ` in "${key}"`}: take them out, e.g. ${command}, ${addIt}`
  }
  return null
}

/** CSV and its kin: a record in a cell, or each of its fields in one of its own. */
function wrappingInCells(lines: readonly string[]): string | null {
  const [first = ''] = lines
  const unquoted = (line: string): string => line.replaceAll('"', '').replaceAll(/[,;]/g, ' ').replaceAll('_', '-')
  const isSeparated =
    /[,;"]/.test(first) && (layoutOfHeader(unquoted(first)) !== null || isRecordWithin(unquoted(first)))
  const cellsOf = (line: string): string[] =>
    line.split(/[,;\t|]/).map(cell =>
      cell
        .trim()
        .replace(/^"+|"+$/g, '')
        .trim(),
    )
  const withRecord = lines.filter(line => /[,;\t|"]/.test(line) && cellsOf(line).some(isRecordWithin))
  // The head of a file may end within a line, and the first line may name the columns.
  if (withRecord.length > 0 && withRecord.length * 2 >= lines.length - 1) {
    const [line] = withRecord
    const cell = cellsOf(line!).findIndex(isRecordWithin)
    const [separator] = /[,;\t|]/.exec(line!) ?? [',']
    const delimiter = separator === '\t' ? '' : separator === ',' ? '-d, ' : `-d'${separator}' `
    const titled = cellsOf(first).some(isRecordWithin) ? '' : 'tail -n +2 FILE | '
    const cut = `${titled}cut ${delimiter}-f${cell + 1}${titled === '' ? ' FILE' : ''} | tr -d '"' > FILE.log`
    const what =
      separator === '\t' ? 'tab-separated columns' : 'CSV, as the CloudWatch console and Logs Insights write it,'
    return `${what} with a flow record in column ${cell + 1}: take them out, e.g. ${cut}, ${addIt}`
  }
  if (!isSeparated) return null
  return "comma-separated (CSV): this version reads the space-separated lines that AWS writes: tr ',;' '  ' < FILE | tr -d '\"' > FILE.log, and add that"
}

/** What collectors put before a line: the priority of syslog, times that are not those of CloudWatch, the word of the AWS CLI. */
const beforeLine = /^(?:<\d+>|\[|EVENTS\b|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|\d{4}-\d\d-\d\d)/
const cloudWatchStamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z \S+ (?:\d{12}|unknown|-) /
const recordStart = /(?<= )\d{1,2} (?:\d{12}|unknown|-) [a-z]+-[0-9a-z]+ /

function wrappingInLines(lines: readonly string[], fields: number | null): string | null {
  const records = lines.filter(isSurelyRecord)
  const prefixed = records.filter(
    line =>
      beforeLine.test(line) &&
      !cloudWatchStamp.test(line) &&
      line.split(' ').length !== fields &&
      recordStart.test(line),
  )
  if (prefixed.length === 0 || prefixed.length * 2 < records.length) return null
  const command = "grep -oE ' [0-9]{1,2} ([0-9]{12}|unknown|-) [a-z]+-.*' FILE | cut -c2- > FILE.log"
  return `lines with something before each flow record, as syslog and the AWS CLI write them: cut it off, e.g. ${command}, ${addIt}`
}
