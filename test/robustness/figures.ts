/** What lines of a log say, read once more with nothing of the reader's own: word by word. */
import { isIPv4, isIPv6 } from 'node:net'
import type { RecordBuffer } from '../../src/records/record-buffer.ts'
import { fieldOf } from '../vpc-text/reading.ts'

/** The buffer's records by line: values by name, without those that are unknown. */
export function recordsByLine(buffer: RecordBuffer): Map<number, Record<string, string>> {
  const columns = buffer.columns()
  const records = new Map<number, Record<string, string>>()
  for (let row = 0; row < buffer.rows; row++) {
    const values = columns.flatMap(column => {
      const value = column.type === 'id' ? (column.isNull(row) ? null : column.ids[row]!) : fieldOf(column, row)
      return value === null ? [] : [[column.name, String(value)]]
    })
    records.set(buffer.line[row]!, Object.fromEntries(values))
  }
  return records
}

/** The first value that is not what its line says, in words; null if all are. `header` names the fields of every line. */
export function wrongFigure(
  records: ReadonlyMap<number, Record<string, string>>,
  content: Uint8Array,
  header: string,
): string | null {
  const lines = Buffer.from(content).toString('latin1').split('\n')
  for (const [line, record] of records) {
    const words = lines[line - 1]!.replace(/\r$/, '').split(' ')
    const names = header.split(' ')
    if (words.length !== names.length) return `line ${line}: ${words.length} words are a record`
    for (const [i, name] of names.entries()) {
      const column = name.replaceAll('-', '_')
      const said = saidBy(name, words[i]!)
      if (record[column] !== said) return `line ${line}: ${name} is ${record[column]}, but the line says ${said}`
    }
  }
  return null
}

function saidBy(name: string, word: string): string | undefined {
  if (word === '-') return undefined
  if (name === 'start' || name === 'end') {
    const time = BigInt(word)
    return String(time * (time > 2147483647n ? 1000n : 1_000_000n))
  }
  if (name.endsWith('addr')) return String(addressOf(word))
  if (/^(version|srcport|dstport|protocol|packets|bytes)$/.test(name)) return String(BigInt(word))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(word, 'latin1'))
}

function addressOf(word: string): bigint | null {
  const quad = (text: string): bigint => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  if (isIPv4(word)) return (0xffffn << 32n) | quad(word)
  if (!isIPv6(word)) return null
  const text = word.replace(/[^:]*\.[^:]*$/, tail => {
    const value = quad(tail)
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
  })
  const [head, tail] = text.split('::').map(part => (part === '' ? [] : part.split(':')))
  const groups =
    tail === undefined ? head! : [...head!, ...Array<string>(8 - head!.length - tail.length).fill('0'), ...tail]
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}
