/**
 * Prefix-preserving anonymisation: Xu, Fan, Ammar, Moon, "Prefix-Preserving IP Address Anonymization" (ICNP 2002), with AES-128 as in the
 * authors' Crypto-PAn.
 *
 * Two addresses that have their first k bits in common have exactly k in common afterwards, and no two become one. IPv4 is mapped as 32
 * bits, all else as 128. Ranges with a meaning (private, multicast, loopback) are mapped like all others.
 */
import { type Cipher, createCipheriv } from 'node:crypto'
import { type Address, isIPv4 } from '../net/address.ts'

export const keyBytes = 32
const blockBytes = 16

/** Bits of IPv4 addresses whose flips are worked out beforehand: 65,535 blocks, in milliseconds. */
const headBits = 16
/** Addresses that are remembered, at places by their own bits. */
const ipv4Kept = 1 << 18
const ipv6Kept = 1 << 14

const mappedIPv4 = 0xffff

export class CryptoPan {
  readonly #cipher: Cipher
  /** Second half of the key, encrypted with the first: what stands behind the bits of an address. */
  readonly #pad: Buffer
  readonly #padWords: readonly number[]
  /** By the first 16 bits of an IPv4 address: which of them flip. */
  readonly #heads: Uint16Array
  /** One block for each bit that is asked for. */
  readonly #blocks = Buffer.alloc(128 * blockBytes)
  /** Those of the last bits of IPv4 addresses: all but their first words is always that of the pad. */
  readonly #tail = Buffer.alloc(headBits * blockBytes)
  readonly #ipv4 = { addresses: new Uint32Array(ipv4Kept), mapped: new Uint32Array(ipv4Kept) }
  readonly #isIpv4Kept = new Uint8Array(ipv4Kept)
  readonly #ipv6 = { addresses: new Uint32Array(4 * ipv6Kept), mapped: new Uint32Array(4 * ipv6Kept) }
  readonly #isIpv6Kept = new Uint8Array(ipv6Kept)

  /** @param key 32 bytes: the key of the cipher, and 16 bytes of which the padding is made. */
  constructor(key: Uint8Array) {
    if (key.length !== keyBytes) throw new RangeError('a key of Crypto-PAn has 32 bytes')
    this.#cipher = createCipheriv('aes-128-ecb', key.subarray(0, blockBytes), null).setAutoPadding(false)
    this.#pad = this.#cipher.update(key.subarray(blockBytes))
    this.#padWords = [0, 4, 8, 12].map(at => this.#pad.readUInt32BE(at))
    for (let at = 0; at < this.#tail.length; at += blockBytes) this.#pad.copy(this.#tail, at)
    this.#heads = this.#flipsOfHeads()
  }

  /** An IPv4 address, as an unsigned number, under its other name. */
  ipv4(address: number): number {
    const { addresses, mapped } = this.#ipv4
    const place = (Math.imul(address, 0x9e3779b1) >>> 14) & (ipv4Kept - 1)
    if (this.#isIpv4Kept[place] === 1 && addresses[place] === address) return mapped[place]!
    const head = address >>> headBits
    const flips = ((this.#heads[head]! << headBits) | this.#flipsOfTail(address)) >>> 0
    this.#isIpv4Kept[place] = 1
    addresses[place] = address
    mapped[place] = address ^ flips
    return mapped[place]!
  }

  /** Maps an address in four 32-bit words, most significant first, in its place. IPv4 lies at ::ffff:0:0/96. */
  words(address: Uint32Array): void {
    if (address[0] === 0 && address[1] === 0 && address[2] === mappedIPv4) {
      address[3] = this.ipv4(address[3]!)
      return
    }
    const { addresses, mapped } = this.#ipv6
    const hash = Math.imul(address[0]! ^ Math.imul(address[1]!, 0x85ebca77), 0x9e3779b1) ^ address[2]!
    const place = (Math.imul(hash ^ (hash >>> 15) ^ address[3]!, 0xc2b2ae3d) >>> 18) & (ipv6Kept - 1)
    const at = 4 * place
    const isKept =
      this.#isIpv6Kept[place] === 1 &&
      addresses[at] === address[0] &&
      addresses[at + 1] === address[1] &&
      addresses[at + 2] === address[2] &&
      addresses[at + 3] === address[3]
    if (!isKept) {
      this.#isIpv6Kept[place] = 1
      addresses.set(address, at)
      const flips = this.#flipsOf(address)
      for (let word = 0; word < 4; word++) mapped[at + word] = address[word]! ^ flips[word]!
    }
    address.set(mapped.subarray(at, at + 4))
  }

  /** An address under its other name. */
  address({ hi, lo }: Address): Address {
    if (isIPv4({ hi, lo })) return { hi, lo: (lo & ~0xffff_ffffn) | BigInt(this.ipv4(Number(lo & 0xffff_ffffn))) }
    const half = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffff_ffffn)]
    const words = Uint32Array.of(...half(hi), ...half(lo))
    this.words(words)
    const joined = (word: number): bigint => (BigInt(words[word]!) << 32n) | BigInt(words[word + 1]!)
    return { hi: joined(0), lo: joined(2) }
  }

  /** Which of the last 16 bits of an IPv4 address flip. */
  #flipsOfTail(address: number): number {
    for (let bit = headBits; bit < 32; bit++)
      putWord(this.#tail, (bit - headBits) * blockBytes, this.#mixedWord(address, 0, bit))
    const answers = this.#cipher.update(this.#tail)
    let flips = 0
    for (let i = 0; i < headBits; i++) flips = (flips << 1) | (answers[i * blockBytes]! >>> 7)
    return flips
  }

  #flipsOf(address: Uint32Array): Uint32Array {
    for (let bit = 0; bit < 128; bit++) this.#putBlock(bit, address, bit)
    const answers = this.#cipher.update(this.#blocks)
    const flips = new Uint32Array(4)
    for (let bit = 0; bit < 128; bit++) flips[bit >>> 5] = (flips[bit >>> 5]! << 1) | (answers[bit * blockBytes]! >>> 7)
    return flips
  }

  /** The block that tells whether a bit flips: the bits of the address before it, and those of the pad from it on. */
  #putBlock(number: number, address: ArrayLike<number>, bit: number): void {
    const at = number * blockBytes
    this.#pad.copy(this.#blocks, at)
    const word = bit >>> 5
    for (let i = 0; i < word; i++) putWord(this.#blocks, at + 4 * i, address[i]!)
    if ((bit & 31) !== 0) putWord(this.#blocks, at + 4 * word, this.#mixedWord(address[word]!, word, bit & 31))
  }

  /** The first bits of a word of the address, from 1 to 31 of them, and then those of the pad. */
  #mixedWord(own: number, word: number, bits: number): number {
    const kept = 0xffff_ffff << (32 - bits)
    return (own & kept) | (this.#padWords[word]! & ~kept)
  }

  #flipsOfHeads(): Uint16Array {
    // Of the prefixes of each length, one block for each: there are half as many as of the next length.
    const blocks = Buffer.alloc(((1 << headBits) - 1) * blockBytes)
    for (let bit = 0, place = 0; bit < headBits; bit++)
      for (let prefix = 0; prefix < 1 << bit; prefix++, place++) {
        this.#putBlock(0, [bit === 0 ? 0 : (prefix << (32 - bit)) >>> 0], bit)
        this.#blocks.copy(blocks, place * blockBytes, 0, blockBytes)
      }
    const answers = this.#cipher.update(blocks)
    const heads = new Uint16Array(1 << headBits)
    for (let head = 0; head < 1 << headBits; head++)
      for (let bit = 0; bit < headBits; bit++) {
        const place = (1 << bit) - 1 + (head >>> (headBits - bit))
        heads[head] = (heads[head]! << 1) | (answers[place * blockBytes]! >>> 7)
      }
    return heads
  }
}

function putWord(into: Buffer, at: number, word: number): void {
  into[at] = word >>> 24
  into[at + 1] = word >>> 16
  into[at + 2] = word >>> 8
  into[at + 3] = word
}
