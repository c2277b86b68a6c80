/** What the lines of an engine's table cover. */
import type { EngineCoverage } from '../flows/engine-coverage.ts'
import {
  type Block,
  type Column,
  count,
  fact,
  facts,
  heading,
  list,
  note,
  paragraph,
  strong,
  table,
  time,
  title,
} from './block.ts'
import { countText, integerText, timeText } from './numbers.ts'

const listedMost = 50

export function engineCoveragePage(c: EngineCoverage): Block[] {
  const { totals } = c
  const spanned = c.first === null || c.last === null ? 'unknown' : `${timeText(c.first)} to ${timeText(c.last)}`
  return [
    title(strong(`Coverage of ${c.engine.table}`)),
    facts([
      fact(
        'lines',
        `${countText(totals.records, 'record')}, ${integerText(totals.no_data)} NODATA, ${integerText(totals.skip_data)} SKIPDATA`,
      ),
      fact('time', spanned),
      ...(totals.skip_first === null || totals.skip_last === null
        ? []
        : [fact('records dropped', `${timeText(totals.skip_first)} to ${timeText(totals.skip_last)}, at times`)]),
      ...unfit('no record', totals.without_status),
      ...unfit('without a time', totals.without_time),
      ...(totals.without_time === null ? [fact('no record, no time', 'not known: such lines are in no window')] : []),
      fact('files, damaged lines', 'not told by an engine'),
    ]),
    heading(`Days (${integerText(c.days.length)}, UTC)`),
    table(
      [{ title: 'day' }, ...numbers('sensors', 'records', 'NODATA', 'SKIPDATA')],
      c.days.slice(0, listedMost).map(day => ({
        cells: [day.day, ...[day.sensors, day.records, day.no_data, day.skip_data].map(number)],
      })),
    ),
    ...left(c.days.length - listedMost, 'day'),
    heading(`Sensors (${integerText(c.sensors.length + c.sensors_left)})`),
    table(
      [{ title: 'sensor' }, { title: 'first' }, { title: 'last' }, ...numbers('records', 'NODATA', 'SKIPDATA', 'gaps')],
      c.sensors.slice(0, listedMost).map(one => ({
        cells: [
          one.sensor ?? 'not named',
          one.first === null ? 'unknown' : time(timeText(one.first)),
          one.last === null ? 'unknown' : time(timeText(one.last)),
          ...[one.records, one.no_data, one.skip_data, one.holes].map(number),
        ],
      })),
    ),
    ...left(c.sensors.length + c.sensors_left - listedMost, 'sensor'),
    ...(c.gaps.length === 0 ? [] : gapBlocks(c)),
    ...c.notes.map(note),
  ]
}

function unfit(name: string, lines: number | null): ReturnType<typeof fact>[] {
  return lines === null || lines === 0 ? [] : [fact(name, countText(lines, 'line'))]
}

function gapBlocks({ gaps, gaps_left }: EngineCoverage): Block[] {
  const items = gaps
    .slice(0, listedMost)
    .map(({ sensor, from, to }) => `${sensor ?? 'not named'}: ${timeText(from)} to ${timeText(to)}`)
  const all = gaps.length + gaps_left
  return [heading(`Gaps (${integerText(all)})`), list(items), ...left(all - listedMost, 'gap')]
}

function left(more: number, what: string): Block[] {
  return more <= 0 ? [] : [paragraph(`… and ${countText(more, what)} more: --json lists them`)]
}

function number(of: number) {
  return count(integerText(of))
}

function numbers(...titles: string[]): Column[] {
  return titles.map(title => ({ title, align: 'right' }))
}
