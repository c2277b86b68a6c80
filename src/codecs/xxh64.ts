/**
 * XXH64, of which Zstandard keeps the low 32 bits as a checksum (RFC 8878, 3.1.1).
 *
 * 64-bit numbers are pairs of 32-bit halves: BigInt would cost ten times as much.
 */

type Pair = [high: number, low: number]

const prime1: Pair = [0x9e3779b1, 0x85ebca87]
const prime2: Pair = [0xc2b2ae3d, 0x27d4eb4f]
const prime3: Pair = [0x165667b1, 0x9e3779f9]
const prime4: Pair = [0x85ebca77, 0xc2b2ae63]
const prime5: Pair = [0x27d4eb2f, 0x165667c5]

const stripeBytes = 32

export class Xxh64 {
  /** Four accumulators, each high half first. */
  private readonly lanes = new Int32Array(8)
  private readonly stripe = new Uint8Array(stripeBytes)
  private readonly view = new DataView(this.stripe.buffer)
  private filled = 0
  private length = 0

  constructor() {
    this.setLane(0, added(prime1, prime2))
    this.setLane(1, prime2)
    this.setLane(2, [0, 0])
    this.setLane(3, [~prime1[0], -prime1[1]])
  }

  update(bytes: Uint8Array): void {
    this.length += bytes.length
    let at = 0
    if (this.filled > 0) {
      at = Math.min(stripeBytes - this.filled, bytes.length)
      this.stripe.set(bytes.subarray(0, at), this.filled)
      this.filled += at
      if (this.filled < stripeBytes) return
      this.mixStripe(this.view, 0)
      this.filled = 0
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (; at + stripeBytes <= bytes.length; at += stripeBytes) this.mixStripe(view, at)
    this.stripe.set(bytes.subarray(at))
    this.filled = bytes.length - at
  }

  /** The low 32 bits of the digest, unsigned. */
  low32(): number {
    let hash = this.length < stripeBytes ? added(this.lane(2), prime5) : this.joinedLanes()
    hash = added(hash, [Math.floor(this.length / 2 ** 32), this.length | 0])
    let at = 0
    for (; at + 8 <= this.filled; at += 8) {
      const word: Pair = [this.view.getInt32(at + 4, true), this.view.getInt32(at, true)]
      hash = added(times(rotated(xored(hash, round([0, 0], word)), 27), prime1), prime4)
    }
    if (at + 4 <= this.filled) {
      hash = added(times(rotated(xored(hash, times([0, this.view.getInt32(at, true)], prime1)), 23), prime2), prime3)
      at += 4
    }
    for (; at < this.filled; at++) hash = times(rotated(xored(hash, times([0, this.stripe[at]!], prime5)), 11), prime1)
    hash = times(xored(hash, [0, (hash[0] >>> 1) | 0]), prime2)
    hash = times(xored(hash, [hash[0] >>> 29, (hash[0] << 3) | (hash[1] >>> 29)]), prime3)
    return (hash[1] ^ hash[0]) >>> 0
  }

  private joinedLanes(): Pair {
    const lanes = [0, 1, 2, 3].map(i => this.lane(i))
    let hash = [1, 7, 12, 18].map((bits, i) => rotated(lanes[i]!, bits)).reduce(added)
    for (const lane of lanes) hash = added(times(xored(hash, round([0, 0], lane)), prime1), prime4)
    return hash
  }

  private lane(i: number): Pair {
    return [this.lanes[2 * i]!, this.lanes[2 * i + 1]!]
  }

  private setLane(i: number, [high, low]: Pair): void {
    this.lanes[2 * i] = high
    this.lanes[2 * i + 1] = low
  }

  /** `round` over the four lanes. Hot, so without pairs. */
  private mixStripe(view: DataView, at: number): void {
    const { lanes } = this
    for (let i = 0; i < 8; i += 2) {
      const low = product(view.getInt32(at + 4 * i + 4, true), view.getInt32(at + 4 * i, true), prime2[0], prime2[1])
      const sum = (lanes[i + 1]! >>> 0) + (low >>> 0)
      const high = (lanes[i]! + productHigh + (sum > 0xffffffff ? 1 : 0)) | 0
      lanes[i + 1] = product((high << 31) | ((sum | 0) >>> 1), (sum << 31) | (high >>> 1), prime1[0], prime1[1])
      lanes[i] = productHigh
    }
  }
}

function round(lane: Pair, word: Pair): Pair {
  return times(rotated(added(lane, times(word, prime2)), 31), prime1)
}

function added([ah, al]: Pair, [bh, bl]: Pair): Pair {
  const low = (al >>> 0) + (bl >>> 0)
  return [(ah + bh + (low > 0xffffffff ? 1 : 0)) | 0, low | 0]
}

function xored([ah, al]: Pair, [bh, bl]: Pair): Pair {
  return [ah ^ bh, al ^ bl]
}

/** Rotated left by 1 to 31 bits. */
function rotated([high, low]: Pair, bits: number): Pair {
  return [(high << bits) | (low >>> (32 - bits)), (low << bits) | (high >>> (32 - bits))]
}

function times([ah, al]: Pair, [bh, bl]: Pair): Pair {
  const low = product(ah, al, bh, bl)
  return [productHigh, low]
}

let productHigh = 0

/** The low 32 bits of a product of 64-bit numbers; `productHigh` has the next 32. */
function product(ah: number, al: number, bh: number, bl: number): number {
  const a0 = al & 0xffff
  const a1 = al >>> 16
  const b0 = bl & 0xffff
  const b1 = bl >>> 16
  const low = a0 * b0
  const mid = a1 * b0 + (low >>> 16)
  const mid2 = a0 * b1 + (mid & 0xffff)
  const high = Math.imul(a1, b1) + (mid >>> 16) + (mid2 >>> 16)
  productHigh = (high + Math.imul(ah, bl) + Math.imul(al, bh)) | 0
  return (mid2 << 16) | (low & 0xffff)
}
