import { crc32 } from 'node:zlib'
import { loadWasm } from './wasm-module.ts'

/** Bytes that may be written beyond the content, and read beyond the data (wasm/inflate.ts). */
const slackBytes = 512
const pageBytes = 64 << 10
const headerBytes = 10
const trailerBytes = 8

// RFC 1952, 2.3.1: what the flags say is between the header and the data.
const hasChecksum = 2
const hasExtra = 4
const hasName = 8
const hasComment = 16
const reserved = 0xe0

interface InflateModule {
  inputAt: WebAssembly.Global
  outputAt: WebAssembly.Global
  tablesEnd: WebAssembly.Global
  inflate(from: number, end: number, output: number, outputEnd: number): number
}

/**
 * Unpacks sound gzip files of one member into memory that is used again for the next one.
 *
 * Node's zlib gives out memory that is new each time, and having the kernel find all these pages takes a third of the time that the
 * unpacking does. The loop over the bits is WebAssembly (wasm/inflate.ts).
 */
export class Gunzip {
  private static ofThread: Gunzip | null | undefined
  private readonly memory: WebAssembly.Memory
  private readonly module: InflateModule

  private constructor(memory: WebAssembly.Memory, module: InflateModule) {
    this.memory = memory
    this.module = module
  }

  /** The one of this thread; null where WebAssembly cannot be had. */
  static get(): Gunzip | null {
    if (Gunzip.ofThread === undefined) {
      const file = new URL('./wasm/inflate.wasm', import.meta.url)
      const loaded = loadWasm<InflateModule>(file, { initial: 4, maximum: 2048 })
      Gunzip.ofThread = loaded && new Gunzip(loaded.memory, loaded.exports)
    }
    return Gunzip.ofThread
  }

  /**
   * The content of a file of one gzip member; null where the file is anything else, or its content is longer than `bytesMax` or than memory
   * can be had for.
   *
   * The content is there until the next call.
   */
  unpack(file: Uint8Array, bytesMax: number): Uint8Array | null {
    const from = dataOf(file)
    if (from < 0) return null
    const trailer = new DataView(file.buffer, file.byteOffset + file.length - trailerBytes, trailerBytes)
    const length = trailer.getUint32(4, true)
    if (length > bytesMax) return null
    const { module } = this
    const input = ((module.tablesEnd.value as number) + 15) & ~15
    const end = input + file.length - trailerBytes
    const output = (end + trailerBytes + slackBytes + 15) & ~15
    if (!this.grow(output + length + slackBytes)) return null
    const bytes = new Uint8Array(this.memory.buffer)
    bytes.set(file, input)
    if (module.inflate(input + from, end, output, output + length) === 0) return null
    if (module.inputAt.value !== end || module.outputAt.value !== output + length) return null
    const content = bytes.subarray(output, output + length)
    return crc32(content) === trailer.getUint32(0, true) ? content : null
  }

  /** False where the machine has no memory for it: zlib needs less. */
  private grow(bytes: number): boolean {
    const missing = bytes - this.memory.buffer.byteLength
    try {
      if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes))
      return true
    } catch {
      return false
    }
  }
}

/** Where the data of a gzip file begins (RFC 1952, 2.3); -1 if it is not one that is understood. */
function dataOf(file: Uint8Array): number {
  if (file.length < headerBytes + trailerBytes || file[0] !== 0x1f || file[1] !== 0x8b || file[2] !== 8) return -1
  const flags = file[3]!
  if ((flags & reserved) !== 0 || (flags & hasChecksum) !== 0) return -1
  let at = headerBytes
  if (flags & hasExtra) at += 2 + file[at]! + 256 * file[at + 1]!
  for (const flag of [hasName, hasComment]) {
    if ((flags & flag) === 0) continue
    const zero = file.indexOf(0, at)
    if (zero < 0) return -1
    at = zero + 1
  }
  return at <= file.length - trailerBytes ? at : -1
}
