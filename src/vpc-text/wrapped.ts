/** Whether lines are flow records, and how those can be had that have something before them on their line. */

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
export function isRecordWithin(text: string): boolean {
  if (!isSurelyRecord(text)) return false
  const words = text.split(' ')
  return (
    words.some(word => word !== 'OK' && statusWords.includes(word)) ||
    words.filter(word => /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+)$/.test(word)).length >= 2
  )
}

/** What collectors put before a line: the priority of syslog, times that are not those of CloudWatch. */
const beforeLine = /^(?:<\d+>|\[|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|\d{4}-\d\d-\d\d)/
const cloudWatchStamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z \S+ (?:\d{12}|unknown|-) /
const recordStart = /(?<= )\d{1,2} (?:\d{12}|unknown|-) [a-z]+-[0-9a-z]+ /

/** What to do about records that have something before them on their line; null where they have not. `fields`: how many `--format` names. */
export function prefixOf(lines: readonly string[], fields: number | null): string | null {
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
  return `lines with something before each flow record, as syslog and aws logs tail write them: cut it off, e.g. ${command}, and add that with --format`
}
