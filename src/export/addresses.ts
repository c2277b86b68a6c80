/** The one place that every address of an export passes, also those within texts: what changes addresses can forget none. */
import { type Address, formatAddress, parseAddress } from '../net/address.ts'
import { parsePrefix } from '../net/prefix.ts'

/** An address for another one, as anonymisation gives. */
export type AddressChange = (address: Address) => Address

/** Texts that come again and again. */
const keptMost = 1 << 16

/** Addresses of the evidence as an export names them. */
export class Addresses {
  readonly #change: AddressChange | null
  readonly #kept = new Map<string, string>()

  /** @param change null: all stay as they are. */
  constructor(change: AddressChange | null) {
    this.#change = change
  }

  /** Whether what is exported names others than the evidence does. */
  get areChanged(): boolean {
    return this.#change !== null
  }

  value({ hi, lo }: Address): string {
    const changed = this.#change?.({ hi, lo }) ?? { hi, lo }
    return formatAddress(changed.hi, changed.lo)
  }

  /** An address or a prefix as text; a text that is neither is changed as any other text is. */
  address(text: string): string {
    if (this.#change === null) return text
    const known = this.#kept.get(text)
    if (known !== undefined) return known
    const changed = this.#changed(text)
    if (this.#kept.size >= keptMost) this.#kept.clear()
    this.#kept.set(text, changed)
    return changed
  }

  /** A text with every address in it changed, also those of prefixes, of ports, and of names as AWS makes them (`ip-10-0-0-7`). */
  text(text: string): string {
    if (this.#change === null) return text
    return text
      .replace(hostName, (_, before: string, quad: string) => before + this.#quad(quad.replaceAll('-', '.'), '-'))
      .replace(quadForm, quad => this.#within(quad))
      .replace(groupForm, groups => this.#groups(groups))
  }

  /** The strings of plain data, with the addresses in them changed; for what is free text or a list of such. */
  texts<T>(value: T): T {
    if (this.#change === null) return value
    if (typeof value === 'string') return this.text(value) as T
    if (Array.isArray(value)) return value.map(one => this.texts(one as unknown)) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.texts(one as unknown)])) as T
  }

  #changed(text: string): string {
    const slash = text.indexOf('/')
    const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
    if (address === null) return this.text(text)
    const changed = this.value(address)
    return slash < 0 ? changed : (parsePrefix(`${changed}${text.slice(slash)}`)?.text ?? changed)
  }

  #within(text: string): string {
    return parseAddress(text.split('/')[0]!) === null ? text : this.address(text)
  }

  #quad(text: string, dot: string): string {
    return parseAddress(text) === null ? text.replaceAll('.', dot) : this.address(text).replaceAll('.', dot)
  }

  /** What may be an IPv6 address, with a port or the end of a sentence behind it. */
  #groups(text: string): string {
    const [body = '', length] = text.split('/')
    for (let end = body.length; end > 1; end--) {
      if (parseAddress(body.slice(0, end)) === null) continue
      const isWhole = end === body.length && length !== undefined
      if (isWhole) return this.address(text)
      return this.address(body.slice(0, end)) + text.slice(end)
    }
    return text
  }
}

const hostName = /\b((?:ip|ec2)-)(\d{1,3}(?:-\d{1,3}){3})\b/g
const quadForm = /(?<![\d.:a-fA-F]|[a-fA-F\d]:)\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?(?!\d|\.\d)/g
const groupForm = /(?<![\w:.])(?:[\da-fA-F]{1,4})?:(?:[\da-fA-F]{0,4}[:.])+[\da-fA-F]{0,4}(?:\/\d{1,3})?(?![\da-fA-F])/g
