import { type ArchiveNames, evidenceIn, isTarHeader, tarNames, zipNames } from './archive.ts'
import { joined } from './pieces.ts'
import { compressionOf } from './sniff.ts'

/** Content that is known, but not read. */
export interface Foreign {
  /** What it is, and what to do about it. */
  problem: string
  /** Whether it may hide evidence: then it is told of a file that was found in a folder too. */
  hides: boolean
  /** An archive, the files of which can be read. */
  archive?: 'zip' | 'tar'
}

type Magic = readonly [bytes: string, problem: string, isMeant?: (head: Uint8Array) => boolean]

const packed = (how: string, command: string): string => `packed with ${how}: unpack it (${command}) and add the result`
const packedAgain = (how: string): string =>
  `packed with ${how} more than three times over: unpack it (${how} -d) and add the result`
const capture = (what: string): string =>
  `a capture of ${what}: convert it (editcap -F pcapng IN OUT) and add the result`
const encrypted = (how: string, command: string): string =>
  `encrypted (${how}): decrypt it (${command}) and add the result`
const notRead = (what: string, advice: string): string => `${what}, which this version does not read: ${advice}`

/** First bytes, as Latin-1 text, of what may hide evidence. A zero byte within 512 tells from a text that begins with the same letters. */
const hiding: readonly Magic[] = [
  ['\x1f\x8b', packedAgain('gzip')],
  ['\x28\xb5\x2f\xfd', packedAgain('zstd')],
  ['\xfd7zXZ\x00', packedAgain('xz')],
  ['BZh', packedAgain('bzip2'), head => compressionOf(head) === 'bzip2'],
  ['\x5d\x00\x00', packed('lzma', 'xz -d --format=lzma'), isLzma],
  ['LZIP', packed('lzip', 'lzip -d'), head => head[4]! <= 1],
  ['LRZI', packed('lrzip', 'lrzip -d'), head => head[4] === 0],
  ['\x04\x22\x4d\x18', packed('lz4', 'lz4 -d')],
  ['\x02\x21\x4c\x18', packed('lz4', 'lz4 -d')],
  ['\x1f\x9d', packed('compress', 'uncompress')],
  ['\x1f\xa0', packed('compress -H', 'gzip -d')],
  ['\x1f\x1e', packed('pack', 'gzip -d')],
  ['\x89LZO\x00\x0d\x0a\x1a\x0a', packed('lzop', 'lzop -d')],
  ['\xff\x06\x00\x00sNaPpY', packed('snappy', 'snzip -d')],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive: unpack it (7z x) and add the result'],
  ['Rar!\x1a\x07', 'a RAR archive: unpack it (unrar x) and add the result'],
  ['PK\x07\x08', 'a part of a zip archive in several files: join and unpack it (zip -s 0), and add the result'],
  ['snoop\x00\x00\x00', capture('snoop')],
  ['RTSS', capture('Microsoft Network Monitor 1'), hasZero],
  ['GMBU', capture('Microsoft Network Monitor 2'), hasZero],
  ['TRSNIFF data    \x1a', capture('the Sniffer for DOS')],
  ['XCP\x00', capture('NetXRay or the Sniffer for Windows')],
  ['\x05VNF', capture('Visual Networks')],
  ['\x7fver', capture('EtherPeek')],
  ['iptrace 1.0', capture('iptrace')],
  ['iptrace 2.0', capture('iptrace')],
  ['TR\x00d\x00', capture('nettl')],
  ['\x1c\x00\x01\xac', capture('an Ixia vNIC')],
  ['\x1c\x00\x01\xab', capture('an Ixia analyser')],
  [
    '\xcf\x10',
    notRead('flow records of flow-tools', 'export them with flow-export'),
    head => isOneOf(head[2], 1, 2) && head[3]! <= 5,
  ],
  [
    '\xde\xad\xbe\xef',
    notRead('flow records of SiLK', 'add the capture or the flow log that they were made of'),
    head => head[4]! <= 1 && head[6]! <= 32 && head[7]! <= 3,
  ],
  ['\x00\x0a', notRead('IPFIX messages', 'collect them into nfcapd files and add those'), isIpfix],
  ['ORC', notRead('an ORC file', 'write it as Parquet or as lines of text, and add that'), hasZero],
  ['Obj\x01', notRead('an Avro file', 'write it as Parquet or as lines of text, and add that')],
  ['ARROW1\x00\x00', notRead('an Arrow file', 'write it as Parquet or as lines of text, and add that')],
  ['PARE', 'an encrypted Parquet file: write it without encryption and add that', hasZero],
  ['Salted__', encrypted('openssl', 'openssl enc -d')],
  ['U2FsdGVkX1', encrypted('openssl, as base64', 'openssl enc -d -a')],
  ['-----BEGIN PGP MESSAGE-----', encrypted('OpenPGP', 'gpg -d')],
  ['age-encryption.org/', encrypted('age', 'age -d')],
  ['-----BEGIN AGE ENCRYPTED FILE-----', encrypted('age', 'age -d')],
]

/** What is in many a folder, and hides nothing: told only of a file that was named. */
const harmless: readonly Magic[] = [
  ['%PDF-', 'a PDF document'],
  ['\x89PNG', 'an image (PNG)'],
  ['\xff\xd8\xff', 'an image (JPEG)'],
  ['GIF8', 'an image (GIF)'],
  ['\x7fELF', 'a program'],
  ['MZ', 'a program', hasZero],
  ['SQLite format 3\x00', 'an SQLite database'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'a document of an older Office'],
]

/** What the content is, if it is a format that Tidemark does not read, by its first bytes and the names in an archive; null if unknown. `rest`: what follows the head. */
export async function foreignOf(head: Uint8Array, rest: AsyncIterable<Uint8Array>): Promise<Foreign | null> {
  if (startsWith(head, 'PK\x03\x04') || startsWith(head, 'PK\x05\x06')) {
    return archive('zip', 'unzip', await zipNames(joined(head, rest)))
  }
  if (isTarHeader(head)) return archive('tar', 'tar -x', await tarNames(joined(head, rest)))
  const hidden = hiding.find(magic => matches(head, magic))
  if (hidden !== undefined) return { problem: hidden[1], hides: true }
  if (isOpenPgp(head)) return { problem: encrypted('OpenPGP', 'gpg -d'), hides: true }
  if (isErf(head)) return { problem: capture('Endace (ERF)'), hides: true }
  const other = harmless.find(magic => matches(head, magic))
  return other === undefined ? null : { problem: `${other[1]}, no flow log, capture or nfcapd file`, hides: false }
}

function archive(kind: 'zip' | 'tar', command: string, { names, isEncrypted }: ArchiveNames): Foreign {
  const what = `${isEncrypted ? 'an encrypted' : 'a'} ${kind} archive`
  const evidence = evidenceIn(names)
  if (evidence === null) {
    return {
      problem: `${what} in which no name is that of a log or a capture: unpack it and add what is evidence`,
      hides: false,
    }
  }
  const more = names.length > 1 ? ` and ${names.length - 1} more` : ''
  return {
    problem: `${what} with ${evidence}${more}: unpack it (${command}) and add the result`,
    hides: true,
    archive: kind,
  }
}

function matches(head: Uint8Array, [magic, , isMeant]: Magic): boolean {
  return startsWith(head, magic) && (isMeant === undefined || isMeant(head))
}

function startsWith(head: Uint8Array, magic: string): boolean {
  return latin1(head, 0, magic.length) === magic
}

function latin1(head: Uint8Array, from: number, to: number): string {
  return Buffer.from(head.subarray(from, to)).toString('latin1')
}

function hasZero(head: Uint8Array): boolean {
  return head.subarray(0, 512).includes(0)
}

function isOneOf(value: number | undefined, ...values: number[]): boolean {
  return value !== undefined && values.includes(value)
}

/** The size of the dictionary is a power of two or one and a half of it, and that of the content is unknown or below 2^40. */
function isLzma(head: Uint8Array): boolean {
  const size = latin1(head, 5, 13)
  return head.length > 13 && head[4]! < 0x10 && (size === '\xff'.repeat(8) || size.endsWith('\0\0\0'))
}

/** RFC 7011, 3.1: a message of version 10 that begins with a set of templates or data. */
function isIpfix(head: Uint8Array): boolean {
  if (head.length < 20) return false
  const view = viewOf(head)
  const [length, set, setLength] = [view.getUint16(2), view.getUint16(16), view.getUint16(18)]
  return length >= 20 && (set === 2 || set === 3 || set >= 256) && setLength >= 4 && setLength + 16 <= length
}

/** RFC 4880 and 9580: a message to a key (tag 1) or with a passphrase (tag 3), which come first. */
function isOpenPgp(head: Uint8Array): boolean {
  const [tag] = head
  if (head.length < 16) return false
  // Old packets have a length of one or two bytes, new ones of one.
  const isToKey = tag === 0x84 || tag === 0x85 || tag === 0xc1
  if (!isToKey && tag !== 0x8c && tag !== 0xc3) return false
  const body = tag === 0x85 ? 3 : 2
  const version = head[body]
  if (isToKey)
    return (version === 3 && isOneOf(head[body + 9], 1, 2, 16, 18, 25, 26)) || (version === 6 && head.length > 64)
  return isOneOf(version, 4, 5, 6) && head[body + 1]! >= 1 && head[body + 1]! <= 13 && head[body + 2]! <= 4
}

/** ERF has no first bytes of its own: records follow each other, with the times of our days. */
function isErf(head: Uint8Array): boolean {
  const view = viewOf(head)
  let records = 0
  for (let at = 0; at + 16 <= head.length && records < 3; records++) {
    const seconds = view.getUint32(at + 4, true)
    const type = head[at + 8]! & 0x7f
    const length = view.getUint16(at + 10)
    if (seconds < 631_152_000 || type < 1 || type > 48 || length < 16) return false
    at += length
  }
  return records >= 2
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
