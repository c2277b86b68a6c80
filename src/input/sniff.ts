export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** What the first bytes of a file say it is. `text` may or may not be a flow log: its first line tells. */
export type Content = 'text' | 'parquet' | 'pcap' | 'pcapng' | 'nfcapd' | 'empty' | 'other'

const magics: readonly [Content, readonly number[]][] = [
  ['parquet', [0x50, 0x41, 0x52, 0x31]],
  ['pcap', [0xd4, 0xc3, 0xb2, 0xa1]],
  ['pcap', [0xa1, 0xb2, 0xc3, 0xd4]],
  ['pcap', [0x4d, 0x3c, 0xb2, 0xa1]],
  ['pcap', [0xa1, 0xb2, 0x3c, 0x4d]],
  // The variant of Kuznetzov's patched libpcap, with longer record headers.
  ['pcap', [0x34, 0xcd, 0xb2, 0xa1]],
  ['pcap', [0xa1, 0xb2, 0xcd, 0x34]],
  ['pcapng', [0x0a, 0x0d, 0x0d, 0x0a]],
  ['nfcapd', [0x0c, 0xa5]],
  ['nfcapd', [0xa5, 0x0c]],
]

/** How bytes are packed, by the first of them (RFC 1952; RFC 8878; the .xz file format; bzip2's block or end of stream). A frame of zstd to be skipped may come first, as pzstd writes it. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd'
  if (head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18 && (head[0]! & 0xf0) === 0x50) return 'zstd'
  if (head[0] === 0xfd && startsWith(head, '\xfd7zXZ\0')) return 'xz'
  if (head[0] === 0x42 && startsWith(head, 'BZh') && bzip2Blocks.some(magic => startsWith(head.subarray(4), magic)))
    return 'bzip2'
  return 'none'
}

const bzip2Blocks = ['1AY&SY', '\x17rE8P\x90']

function startsWith(head: Uint8Array, magic: string): boolean {
  return Buffer.from(head.subarray(0, magic.length)).toString('latin1') === magic
}

/** What unpacked content is, by its first bytes. */
export function contentOf(head: Uint8Array): Content {
  if (head.length === 0) return 'empty'
  for (const [content, magic] of magics) if (magic.every((byte, i) => head[i] === byte)) return content
  return head.subarray(0, 512).includes(0) ? 'other' : 'text'
}
