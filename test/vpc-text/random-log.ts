/** Flow logs at random, of everything that their lines may hold. Strings stand for bytes: one character each, up to U+00FF. */
import { columnName, fieldNamed, flowFields } from '../../src/records/fields.ts'
import type { Chance } from '../robustness/support.ts'

const known: string[] = flowFields.map(field => field.name.replaceAll('_', '-'))
const unknown = ['new-field', 'x', 'another-one', 'of-2031']
const edges = ['0', '255', '256', '65535', '65536', '4294967295', '4294967296', '9007199254740992', '9007199254740993']
edges.push('18446744073709551614', '18446744073709551615', '18446744073709551616', '99999999', '100000000')
edges.push('999999999999999', '1000000000000000')
const times = ['0', '1', '2147483647', '2147483648', '9007199254740', '9007199254741', '1700000000000', '1700000000001']
const odds = ['', '-', '--', '-1', '+1', '1.0', '1e3', '0x1', '/', ':', '1:', '/1', '\u00b5', '\u007f', '1\u0000', '\t']

/** A header's names: in any order, now and then without what a record needs. */
export function randomFields(chance: Chance): string[] {
  const core = ['srcaddr', 'dstaddr', 'bytes', 'srcport', 'action', 'log-status', 'interface-id', 'protocol']
  const names = new Set(chance.maybe(0.9) ? ['start', 'end'] : [])
  for (const name of core) if (chance.maybe(0.6)) names.add(name)
  const more = chance.pick([0, 1, 3, 10, 40])
  for (let i = 0; i < more; i++) names.add(chance.maybe(0.1) ? chance.pick(unknown) : chance.pick(known))
  while (names.size < 5) names.add(chance.pick(known))
  const fields = [...names]
  // Half of them with the text fields side by side, in one long run.
  const isText = (name: string): boolean => (fieldNamed(columnName(name))?.type ?? 'text') === 'text'
  const shuffled = fields
    .map(name => ({ name, at: chance.int(0, 1 << 20) }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name)
  if (chance.maybe(0.5)) return shuffled
  return [...shuffled.filter(name => !isText(name)), ...shuffled.filter(isText)]
}

function digits(chance: Chance, length: number): string {
  return Array.from({ length }, () => chance.int(0, 9)).join('')
}

function hex(chance: Chance, length: number): string {
  return Array.from({ length }, () => chance.int(0, 15).toString(16)).join('')
}

function quad(chance: Chance): string {
  return Array.from({ length: 4 }, () => chance.int(0, chance.pick([9, 99, 255]))).join('.')
}

function groups(chance: Chance, count: number): string[] {
  return Array.from({ length: count }, () => hex(chance, chance.int(1, 4)))
}

/** With `::` anywhere, instead of any number of groups. */
function ipv6(chance: Chance): string {
  const all = groups(chance, 8)
  if (chance.maybe(0.3)) return all.join(':')
  const from = chance.int(0, 8)
  const to = chance.int(from, 8)
  return `${all.slice(0, from).join(':')}::${all.slice(to).join(':')}`
}

function oddAddress(chance: Chance): string {
  const parts = Array.from({ length: 4 }, () => digits(chance, chance.int(1, 3)))
  const six = ipv6(chance)
  switch (chance.int(0, 13)) {
    case 0:
      return parts.join('.')
    case 1:
      return `${quad(chance)}${chance.pick(['.', '.1', ':', ';', '/', '0', '%'])}`
    case 2:
      return `${chance.pick(['.', '0', '1.', ':', '::', '+', '\u00ef\u00bb\u00bf'])}${quad(chance)}`
    case 3:
      return [chance.pick(['256', '999', '00', '01', '001', '', '1000', 'a', ':', '3\u00b9']), ...parts.slice(1)].join(
        '.',
      )
    case 4:
      return [...parts.slice(1), chance.pick(['256', '260', '300', '00', '09', '099', '', '1000', 'f', ':'])].join('.')
    case 5:
      return six.toUpperCase()
    case 6:
      return `${six}${chance.pick([':', '::', ':1', '%eth0', '.', 'g', '0000', '/64', ':1.2.3.4'])}`
    case 7:
      return `${chance.pick([':', '::', '0', '1:', '1::', 'g', '[', '\u00ef\u00bb\u00bf'])}${six}`
    case 8:
      return `${groups(chance, chance.int(0, 6)).join(':')}${chance.pick([':', '::', '::ffff:'])}${quad(chance)}`
    case 9:
      return groups(chance, chance.int(1, 10)).join(':')
    case 10:
      return `${groups(chance, chance.int(1, 4)).join(':')}:${hex(chance, 5)}::1`
    case 11:
      return chance.pick(['::', ':', ':::', '::1', '1::', '::ffff:a00:1', '0:0:0:0:0:0:0:0', '::ffff:0:0', '1::2::3'])
    case 12:
      return six.padStart(chance.int(30, 60), '0')
    default:
      return Array.from({ length: 4 }, () => groups(chance, 2).join(':')).join(chance.pick([':', '::']))
  }
}

function oddNumber(chance: Chance): string {
  const number = chance.maybe(0.5) ? chance.pick(edges) : digits(chance, chance.int(1, 25))
  if (chance.maybe(0.3)) return number.padStart(chance.int(1, 26), '0')
  if (chance.maybe(0.7)) return number
  const at = chance.int(0, number.length - 1)
  return `${number.slice(0, at)}${String.fromCharCode(chance.int(0x21, 0xff))}${number.slice(at + 1)}`
}

/** Writes the lines of one file. */
export class Lines {
  private readonly chance: Chance
  fields: string[]
  private readonly stamped: boolean
  /** How likely each field is odd, and each line as such. */
  private readonly oddFields: number
  private readonly oddLines: number
  private readonly nulls: number
  private readonly six: number
  private readonly milliseconds: boolean
  private readonly returns: number
  private readonly phrases: number
  private readonly words: string[]

  constructor(chance: Chance, stamped: boolean) {
    this.chance = chance
    this.fields = randomFields(chance)
    this.stamped = stamped
    this.oddFields = chance.pick([0, 0, 0.002, 0.02, 0.2])
    this.oddLines = chance.pick([0, 0.01, 0.1, 0.6])
    this.nulls = chance.pick([0, 0, 0.02, 0.5])
    this.six = chance.pick([0, 0.1, 0.9])
    this.milliseconds = chance.maybe(0.3)
    this.returns = chance.pick([0, 0, 0.1, 1])
    this.phrases = chance.pick([1, 3, 10, 300])
    const longest = chance.pick([1, 7, 8, 24, 60, 500])
    const shortest = chance.int(1, longest)
    this.words = Array.from({ length: chance.pick([1, 2, 7, 40]) }, () => this.word(chance.int(shortest, longest)))
    if (chance.maybe(0.3)) this.words.push(this.word(chance.int(1, 7)))
    if (chance.maybe(0.02)) this.words.push(this.word(chance.int(4080, 4100)))
  }

  get header(): string {
    return `${this.stamped ? '2023-11-14T22:13:20.000Z ' : ''}${this.fields.join(' ')}${this.ending()}`
  }

  private ending(): string {
    return this.chance.maybe(this.returns) ? '\r\n' : '\n'
  }

  /** One line, or what stands for one. */
  next(): string {
    const { chance } = this
    if (!chance.maybe(this.oddLines)) return `${this.record()}${this.ending()}`
    switch (chance.int(0, 11)) {
      case 0:
        return chance.pick(['\n', '\r\n', '\r', ' \n', '-\n', '\u0000\n'])
      case 1:
        return this.header
      case 2:
        this.fields = randomFields(chance)
        return this.header
      case 3:
        return `${this.record().replace(' ', chance.pick(['  ', '\t', '', '\r', ' \u0001', '\n']))}${this.ending()}`
      case 4:
        return `${chance.pick([' ', '\t', '\u00ef\u00bb\u00bf', '-', '- '])}${this.record()}${this.ending()}`
      case 5:
        return `${this.record()}${chance.pick([' ', ' 1', '\t', '\r', '\r\r', '\u0000', ' -', '-'])}${this.ending()}`
      case 6:
        return `${this.record().slice(0, chance.int(0, 60))}${this.ending()}`
      case 7:
        return `${this.record('NODATA')}${this.ending()}`
      case 8:
        return `${this.record('SKIPDATA', '-')}${this.ending()}`
      case 9:
        return `${this.record(chance.pick(['ok', '-', 'OKAY', 'O']), chance.pick(['accept', '-', 'ACCEPTED', 'DROP']))}\n`
      case 10:
        return chance.maybe(0.02) ? `${this.word(chance.int(4000, 5000))}\n` : `${this.word(chance.int(1, 300))}\n`
      default: {
        const record = this.record()
        const at = chance.int(0, record.length - 1)
        return `${record.slice(0, at)}${String.fromCharCode(chance.int(0, 255))}${record.slice(at + 1)}${this.ending()}`
      }
    }
  }

  private record(status = 'OK', action?: string): string {
    const { chance } = this
    const phrase = chance.int(1, this.phrases)
    const start = 1_700_000_000 + chance.int(0, 3600)
    const end = start + chance.int(0, 600) - (chance.maybe(this.oddFields) ? 700 : 0)
    const verdict = action ?? (phrase % 3 === 0 ? 'REJECT' : 'ACCEPT')
    const values = this.fields.map((field, i) => {
      if (field === 'log-status') return chance.maybe(this.oddFields / 4) ? '-' : status
      if (field === 'action') return verdict
      if (chance.maybe(this.oddFields)) return this.odd(field)
      if (field === 'start') return this.time(start)
      if (field === 'end') return this.time(end)
      return this.usual(field, phrase, i)
    })
    return `${this.stamped ? '2023-11-14T22:13:20.000Z ' : ''}${values.join(' ')}`
  }

  private time(seconds: number): string {
    return this.milliseconds ? String(seconds * 1000 + this.chance.int(0, 999)) : String(seconds)
  }

  private usual(field: string, phrase: number, i: number): string {
    const { chance } = this
    const type = fieldNamed(columnName(field))?.type ?? 'text'
    if (type === 'text') {
      const of = Math.imul(phrase * 31 + i, 0x9e3779b1) >>> 8
      return of % 100 < this.nulls * 100 ? '-' : this.words[of % this.words.length]!
    }
    if (chance.maybe(this.nulls)) return '-'
    if (type === 'address') return chance.maybe(this.six) ? ipv6(chance) : quad(chance)
    if (type === 'u8') return String(chance.int(0, 255))
    if (type === 'u16') return String(chance.int(0, 65535))
    return String(Number(digits(chance, chance.int(1, 15))))
  }

  private odd(field: string): string {
    const { chance } = this
    if (chance.maybe(0.15)) return chance.pick(odds)
    const type = fieldNamed(columnName(field))?.type ?? 'text'
    if (type === 'text') return chance.maybe(0.5) ? '-' : this.word(chance.int(1, 20))
    if (type === 'address') return oddAddress(chance)
    if (type === 'time' && chance.maybe(0.7)) return chance.pick(times)
    return oddNumber(chance)
  }

  private word(length: number): string {
    const { chance } = this
    const letter = (): string =>
      String.fromCharCode(chance.maybe(0.02) ? chance.int(0x7f, 0xff) : chance.pick([0x2d, 0x30, 0x31, 0x61, 0x62]))
    return Array.from({ length }, letter).join('')
  }
}
