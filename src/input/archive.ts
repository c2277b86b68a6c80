/** Names of what an archive holds, to tell whether it hides evidence. Nothing is unpacked. */

export interface ArchiveNames {
  names: string[]
  isEncrypted: boolean
}

const blockBytes = 512
const namesMax = 100_000
/** A tar archive is looked through up to here. */
const tarBytesMax = 1 << 30
const longNameMax = 64 << 10
/** The end of a zip archive, where its list of names is. */
const tailBytesMax = 8 << 20

/** Names like those of logs and captures, also packed and rotated. */
const evidenceName =
  /(?:^|\/)(?:nfcapd\.[^/]*|[^/]*\.(?:log|pcap|pcapng|cap|ntar|parquet|nfcapd|erf|snoop)[-.\d]*(?:\.(?:gz|zst|xz|bz2|lz4|z))?)$/i
/** Names that are those of logs as well as of anything else: they count where an archive holds nothing else. */
const textName = /\.(?:csv|tsv|txt|json|jsonl|ndjson|out|gz|zst|xz|bz2|zip|tar|tgz|7z)$/i
const plainName = /(?:^|\/)[^./]+$|\.(?:md5|sha\d+)$/i

/** The name of a file in an archive that looks like evidence; null where none does. */
export function evidenceIn(names: readonly string[]): string | null {
  const files = names.filter(name => !name.endsWith('/') && !name.startsWith('__MACOSX/'))
  const sure = files.find(name => evidenceName.test(name))
  if (sure !== undefined) return sure
  const isOfText = files.every(name => textName.test(name) || plainName.test(name))
  return isOfText ? (files.find(name => textName.test(name)) ?? null) : null
}

/** Whether bytes are the header of a tar archive: its checksum tells, also in archives that are older than `ustar`. */
export function isTarHeader(bytes: Uint8Array): boolean {
  if (bytes.length < blockBytes || bytes[0] === 0) return false
  const told = octal(bytes.subarray(148, 156))
  let sum = 0
  for (let i = 0; i < blockBytes; i++) sum += i >= 148 && i < 156 ? 0x20 : bytes[i]!
  return told === sum
}

/** Names alone, of at most as many bytes as an archive is looked through. */
export async function tarNames(pieces: AsyncIterable<Uint8Array>): Promise<ArchiveNames> {
  const names: string[] = []
  for await (const { name } of tarMembers(pieces, tarBytesMax)) {
    names.push(name)
    if (names.length >= namesMax) break
  }
  return { names, isEncrypted: false }
}

/** A file in an archive. Its content is there until the next one is asked for. */
export interface Member {
  name: string
  /** Why its content cannot be had; null: it can. */
  problem: string | null
  pieces: AsyncIterable<Uint8Array>
  /** Once its content has been read: what is wrong with it. */
  damage: () => string | null
}

/** The files in a tar archive, as they come: GNU's and POSIX's long names, sizes beyond 8 GiB. Folders, links and devices hold nothing. */
export async function* tarMembers(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax = Number.POSITIVE_INFINITY,
): AsyncGenerator<Member, string | null> {
  const input = new Input(pieces, bytesMax)
  let long: { name: string | null; size: number | null; isSparse: boolean } = {
    name: null,
    size: null,
    isSparse: false,
  }
  for (;;) {
    const start = input.taken
    const header = await input.take(blockBytes)
    if (header.length === 0) return start === 0 ? null : 'tar: the archive is cut short'
    if (header.length === blockBytes && header.every(byte => byte === 0)) return null
    const type = String.fromCharCode(header[156] ?? 0)
    const own = isTarHeader(header) ? octal(header.subarray(124, 136)) : null
    if (own === null) return `tar: byte ${start} of its content: no header where one should be`
    const size = long.size ?? own
    const padding = (blockBytes - (size % blockBytes)) % blockBytes
    if ((type === 'L' || type === 'x') && size <= longNameMax) {
      const content = textOf(await input.take(size))
      await input.skip(padding)
      if (type === 'L') long.name = content
      else {
        const told = /^\d+ size=(\d{1,15})$/m.exec(content)?.[1]
        const name = /^\d+ path=(.*)$/m.exec(content)?.[1] ?? long.name
        long = { name, size: told === undefined ? null : Number(told), isSparse: /^\d+ GNU\.sparse\./m.test(content) }
      }
      continue
    }
    const isUstar = textOf(header.subarray(257, 262)) === 'ustar'
    const prefix = isUstar ? textOf(header.subarray(345, 500)) : ''
    const name = long.name ?? [prefix, textOf(header.subarray(0, 100))].filter(text => text !== '').join('/')
    const isSparse = type === 'S' || long.isSparse
    long = { name: null, size: null, isSparse: false }
    const end = input.taken + size
    if (type === '0' || type === '\0' || type === '7' || isSparse) {
      yield {
        name,
        problem: isSparse
          ? 'a sparse file of tar, which this version does not read: unpack it (tar -x) and add the result'
          : null,
        pieces: input.pieces(size),
        damage: () => (input.taken < end ? 'tar: the archive is cut short in it; what came before is kept' : null),
      }
    }
    await input.skip(end - input.taken + padding)
    if (input.taken < end) return `tar: the archive is cut short in ${name.slice(0, 200)}`
  }
}

export async function zipNames(pieces: AsyncIterable<Uint8Array>): Promise<ArchiveNames> {
  let head: Uint8Array = new Uint8Array(0)
  let tail: Uint8Array[] = []
  let tailBytes = 0
  for await (const piece of pieces) {
    const copy = piece.slice()
    if (head.length === 0) head = copy
    tail.push(copy)
    tailBytes += copy.length
    while (tailBytes - tail[0]!.length >= tailBytesMax) tailBytes -= tail.shift()!.length
  }
  const end = Buffer.concat(tail)
  tail = []
  const listed = centralNames(end)
  return listed.names.length > 0 ? listed : localNames(Buffer.from(head))
}

/** APPNOTE.TXT 4.3.12: the central directory, as far as it lies in the end of the file. */
function centralNames(end: Buffer): ArchiveNames {
  const found: ArchiveNames = { names: [], isEncrypted: false }
  const last = end.lastIndexOf('PK\x05\x06', undefined, 'latin1')
  if (last < 0 || last + 22 > end.length) return found
  const size = end.readUInt32LE(last + 12)
  const start = last - size
  // Of a longer list, or one of zip64, what can be found.
  let at = start >= 0 && isEntry(end, start) ? start : end.indexOf('PK\x01\x02', 0, 'latin1')
  while (at >= 0 && at + 46 <= last && isEntry(end, at) && found.names.length < namesMax) {
    const [name, extra, comment] = [end.readUInt16LE(at + 28), end.readUInt16LE(at + 30), end.readUInt16LE(at + 32)]
    found.names.push(end.toString('utf8', at + 46, at + 46 + name))
    found.isEncrypted ||= (end.readUInt16LE(at + 8) & 1) !== 0
    at += 46 + name + extra + comment
  }
  return found
}

function isEntry(bytes: Buffer, at: number): boolean {
  return at + 4 <= bytes.length && bytes.readUInt32LE(at) === 0x02014b50
}

/** Of an archive that was cut: the names that stand before the content, as far as each says where the next one is. */
function localNames(head: Buffer): ArchiveNames {
  const found: ArchiveNames = { names: [], isEncrypted: false }
  for (let at = 0; at + 30 <= head.length && head.readUInt32LE(at) === 0x04034b50; ) {
    const flags = head.readUInt16LE(at + 6)
    const [size, name, extra] = [head.readUInt32LE(at + 18), head.readUInt16LE(at + 26), head.readUInt16LE(at + 28)]
    found.names.push(head.toString('utf8', at + 30, at + 30 + name))
    found.isEncrypted ||= (flags & 1) !== 0
    if ((flags & 8) !== 0) break
    at += 30 + name + extra + size
  }
  return found
}

/** A number of a tar header: octal digits, or from 8 GiB on base 256. */
function octal(bytes: Uint8Array): number | null {
  if ((bytes[0]! & 0x80) !== 0) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0)
    return Number.isSafeInteger(value) ? value : null
  }
  const text = textOf(bytes).trim()
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : null
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** Bytes by number, out of pieces. */
class Input {
  taken = 0
  private readonly all: AsyncIterator<Uint8Array>
  private readonly bytesMax: number
  private piece: Uint8Array = new Uint8Array(0)

  constructor(pieces: AsyncIterable<Uint8Array>, bytesMax: number) {
    this.all = pieces[Symbol.asyncIterator]()
    this.bytesMax = bytesMax
  }

  /** The next bytes, fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count)
    const length = await this.pass(count, (part, at) => bytes.set(part, at))
    return bytes.subarray(0, length)
  }

  /** The next bytes as they come, fewer at the end. */
  async *pieces(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0 && (await this.fill()); ) {
      const part = this.piece.subarray(0, left)
      this.piece = this.piece.subarray(part.length)
      this.taken += part.length
      left -= part.length
      yield part
    }
  }

  private async fill(): Promise<boolean> {
    while (this.piece.length === 0 && this.taken < this.bytesMax) {
      const next = await this.all.next()
      if (next.done) return false
      this.piece = next.value
    }
    return this.taken < this.bytesMax
  }

  async skip(count: number): Promise<void> {
    await this.pass(count, () => undefined)
  }

  private async pass(count: number, use: (part: Uint8Array, at: number) => void): Promise<number> {
    let at = 0
    while (at < count && (await this.fill())) {
      const part = this.piece.subarray(0, count - at)
      use(part, at)
      this.piece = this.piece.subarray(part.length)
      at += part.length
      this.taken += part.length
    }
    return at
  }
}
