const polynomialHigh = 0xc96c5795
const polynomialLow = 0xd7870f42

const high = new Int32Array(256)
const low = new Int32Array(256)
for (let i = 0; i < 256; i++) {
  let h = 0
  let l = i
  for (let bit = 0; bit < 8; bit++) {
    const odd = l & 1
    l = (l >>> 1) | (h << 31)
    h >>>= 1
    if (odd) {
      h ^= polynomialHigh
      l ^= polynomialLow
    }
  }
  high[i] = h
  low[i] = l
}

/** CRC-64 of ECMA-182, as xz uses it: reflected, with all bits inverted before and after. */
export class Crc64 {
  private high = ~0
  private low = ~0

  update(bytes: Uint8Array): void {
    let h = this.high
    let l = this.low
    for (let i = 0; i < bytes.length; i++) {
      const index = (l ^ bytes[i]!) & 0xff
      l = ((l >>> 8) | (h << 24)) ^ low[index]!
      h = (h >>> 8) ^ high[index]!
    }
    this.high = h
    this.low = l
  }

  /** Eight bytes, the lowest first. */
  digest(): Buffer {
    const bytes = Buffer.alloc(8)
    bytes.writeInt32LE(~this.low, 0)
    bytes.writeInt32LE(~this.high, 4)
    return bytes
  }
}
