import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignOf } from '../../src/input/foreign.ts'
import { contentOf } from '../../src/input/sniff.ts'
import { tar, zip } from '../archives.ts'

async function* none(): AsyncGenerator<Uint8Array> {
  // Nothing follows.
}

const latin1 = (text: string): Buffer => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(200)])

function erf(records: number): Buffer {
  const one = Buffer.alloc(80)
  one.writeUInt32LE(1_700_000_000, 4)
  one[8] = 2
  one.writeUInt16BE(80, 10)
  return Buffer.concat(Array.from({ length: records }, () => one))
}

function ipfix(): Buffer {
  const message = Buffer.alloc(200)
  message.writeUInt16BE(10, 0)
  message.writeUInt16BE(200, 2)
  message.writeUInt16BE(2, 16)
  message.writeUInt16BE(100, 18)
  return message
}

const hiding: [what: string, content: Buffer, says: RegExp][] = [
  ['gzip', latin1('\x1f\x8b\x08'), /^packed with gzip more than three times over: unpack it/],
  ['zstd', latin1('\x28\xb5\x2f\xfd'), /^packed with zstd/],
  ['xz', latin1('\xfd7zXZ\0\0\x04'), /^packed with xz more than three times over: unpack it/],
  ['bzip2', latin1('BZh91AY&SY'), /^packed with bzip2/],
  ['an empty bzip2', latin1('BZh9\x17rE8P\x90'), /^packed with bzip2/],
  ['lzma', latin1(`\x5d\0\0\x80\0${'\xff'.repeat(8)}`), /^packed with lzma/],
  ['lzip', latin1('LZIP\x01'), /^packed with lzip/],
  ['lrzip', latin1('LRZI\0\x06'), /^packed with lrzip/],
  ['lz4', latin1('\x04\x22\x4d\x18'), /^packed with lz4/],
  ['lz4 of old', latin1('\x02\x21\x4c\x18'), /^packed with lz4/],
  ['compress', latin1('\x1f\x9d\x90'), /^packed with compress/],
  ['lzop', latin1('\x89LZO\0\r\n\x1a\n'), /^packed with lzop/],
  ['snappy', latin1('\xff\x06\0\0sNaPpY'), /^packed with snappy/],
  ['7z', latin1('7z\xbc\xaf\x27\x1c'), /^a 7z archive: unpack it/],
  ['RAR', latin1('Rar!\x1a\x07\x01'), /^a RAR archive/],
  ['snoop', latin1('snoop\0\0\0'), /^a capture of snoop: convert it/],
  ['netmon 1', latin1('RTSS\x01'), /^a capture of Microsoft Network Monitor 1/],
  ['netmon 2', latin1('GMBU\0\x02'), /^a capture of Microsoft Network Monitor 2/],
  ['sniffer', latin1('TRSNIFF data    \x1a'), /^a capture of the Sniffer/],
  ['iptrace', latin1('iptrace 2.0'), /^a capture of iptrace/],
  ['ERF', erf(3), /^a capture of Endace/],
  ['flow-tools', latin1('\xcf\x10\x01\x03'), /flow-tools, which this version does not read/],
  ['SiLK', latin1('\xde\xad\xbe\xef\0\x15\x10\x01'), /SiLK/],
  ['IPFIX', ipfix(), /^IPFIX messages/],
  ['ORC', latin1('ORC\x0a'), /^an ORC file/],
  ['Avro', latin1('Obj\x01'), /^an Avro file/],
  ['encrypted Parquet', latin1('PARE'), /^an encrypted Parquet file/],
  ['openssl', latin1('Salted__'), /^encrypted \(openssl\): decrypt it/],
  ['openssl as text', Buffer.from('U2FsdGVkX18AAAA\n'), /^encrypted \(openssl, as base64\)/],
  ['armoured OpenPGP', Buffer.from('-----BEGIN PGP MESSAGE-----\n\nabc\n'), /^encrypted \(OpenPGP\)/],
  ['OpenPGP to a key', latin1('\x85\x02\x0c\x03keyidkey\x01'), /^encrypted \(OpenPGP\)/],
  ['OpenPGP with a passphrase', latin1('\x8c\x0d\x04\x09\x03\x08'), /^encrypted \(OpenPGP\)/],
  ['age', Buffer.from('age-encryption.org/v1\n-> X25519 abc\n'), /^encrypted \(age\)/],
  [
    'tar of logs',
    tar({ 'AWSLogs/': '', 'AWSLogs/a.log.gz': 'x', 'AWSLogs/b.log.gz': 'y' }),
    /^a tar archive with AWSLogs\/a\.log\.gz and 1 more: unpack it \(tar -x\)/,
  ],
  ['tar with a long name', tar({ [`${'d'.repeat(120)}/x.pcap`]: 'x' }), /^a tar archive with d{120}\/x\.pcap: /],
  [
    'zip of a capture',
    zip({ 'readme.md': 'x', 'a/b.pcapng': 'y' }),
    /^a zip archive with a\/b\.pcapng and 1 more: unpack it \(unzip\)/,
  ],
  ['zip of tables alone', zip({ 'export.csv': 'x', LICENSE: 'y' }), /^a zip archive with export\.csv/],
  ['encrypted zip', zip({ 'a.log': 'x' }, { encrypted: true }), /^an encrypted zip archive with a\.log/],
  ['zip that was cut', zip({ 'a.log': 'x', 'b.py': 'y' }).subarray(0, 40), /^a zip archive with a\.log/],
]

for (const [what, content, says] of hiding) {
  test(`${what} may hide evidence, and the way out is named`, async () => {
    const foreign = await foreignOf(content, none())
    assert.deepEqual([foreign?.hides, says.test(foreign?.problem ?? '')], [true, true], foreign?.problem)
  })
}

const harmless: [what: string, content: Buffer][] = [
  ['a PDF document', latin1('%PDF-1.7')],
  ['an image', latin1('\x89PNG\r\n\x1a\n')],
  ['a table of Office', zip({ '[Content_Types].xml': 'x', 'xl/workbook.xml': 'y', 'docProps/thumbnail.jpeg': 'z' })],
  ['a text of LibreOffice', zip({ mimetype: 'x', 'content.xml': 'y' })],
  ['a Java archive', zip({ 'META-INF/MANIFEST.MF': 'x', 'a/B.class': 'y', 'a/notes.txt': 'z' })],
  ['a Python package', zip({ 'a/__init__.py': 'x', 'a-1.dist-info/RECORD': 'y', 'a-1.dist-info/top_level.txt': 'z' })],
  ['a tar of sources', tar({ 'a/main.c': 'x', 'a/README.md': 'y', 'a/requirements.txt': 'z' })],
  ['a compiled Python module', latin1('\xcb\x0d\x0d\x0a\0\0\0\0')],
  ['a program', latin1('\x7fELF')],
  ['a public key', Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n')],
  ['words that begin like a magic', Buffer.from('ORC, LZIP and BZh9 are formats.\nSalted\n')],
]

for (const [what, content] of harmless) {
  test(`${what} hides nothing`, async () => {
    assert.notEqual((await foreignOf(content, none()))?.hides ?? false, true)
  })
}

test('what is read is not foreign', async () => {
  for (const magic of ['PAR1', '\xd4\xc3\xb2\xa1\x02\0\x04\0', '\x0a\x0d\x0d\x0a\x1c\0\0\0', '\x0c\xa5\x02\0']) {
    const content = latin1(magic)
    assert.notEqual(contentOf(content), 'other')
    assert.equal(await foreignOf(content, none()), null, magic)
  }
})

test('names are found behind large files, and in pieces of any size', async () => {
  for (const [archive, says] of [
    [tar({ 'a.bin': 'x'.repeat(300_000), 'deep/b.pcap.gz': 'y' }), /deep\/b\.pcap\.gz and 1 more/],
    [zip({ 'a.bin': 'x'.repeat(300_000), 'deep/b.pcap.gz': 'y' }), /deep\/b\.pcap\.gz and 1 more/],
  ] as const) {
    for (const size of [700, 4096, 1 << 20]) {
      async function* rest(): AsyncGenerator<Uint8Array> {
        for (let at = 700; at < archive.length; at += size) yield archive.subarray(at, at + size)
      }
      const foreign = await foreignOf(archive.subarray(0, 700), rest())
      assert.match(foreign?.problem ?? '', says)
    }
  }
})
