import type { Damage } from '../input/expand.ts'
import { foreignOf } from '../input/foreign.ts'
import type { Content } from '../input/sniff.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { faultOfHeader, headerOf, isStamped } from '../vpc-text/header.ts'
import type { Layout } from '../vpc-text/layout.ts'
import { isSurelyRecord, looksLikeRecord, wrappingOf } from '../vpc-text/wrapped.ts'

/** What a file is, from the beginning of its content: how to read it, or why it is not read. */
export interface Verdict {
  reader: { layout: Layout | null; stamped: boolean } | null
  status: EvidenceEntry['status']
  problem: string | null
}

export const headBytes = 64 << 10
const CR = 13
const LF = 10

/** The content that is to be judged: its beginning, and where it goes on. */
export interface Judged {
  content: Content
  head: Uint8Array
  rest: AsyncIterable<Uint8Array>
  /** Where unpacking has ended too early, as far as it has come. */
  damage: () => Damage | null
}

export async function judge({ content, head, rest, damage }: Judged, format: Layout | null): Promise<Verdict> {
  if (content === 'empty') return damaged(damage()) ?? notEvidence('empty')
  if (content === 'parquet')
    return damaged(damage()) ?? unreadable('a packed Parquet file: unpack it and add the result')
  const foreign = await foreignOf(head, rest)
  if (foreign !== null) {
    return damaged(damage()) ?? (foreign.hides ? unreadable(foreign.problem) : notEvidence(foreign.problem))
  }
  // A zero byte in a log is damage to one line, not another kind of file.
  const ofText = judgeText(head, format) ?? judgeWideText(head)
  if (ofText !== null) return ofText
  if (content === 'text') return notEvidence(notText(head))
  return damaged(damage()) ?? notEvidence('no flow log, capture or nfcapd file')
}

export function damaged(damage: Damage | null): Verdict | null {
  return damage === null ? null : unreadable(`byte ${damage.offset}: ${damage.problem}`)
}

function unreadable(problem: string): Verdict {
  return { reader: null, status: 'unreadable', problem }
}

function notEvidence(problem: string): Verdict {
  return { reader: null, status: 'not-evidence', problem }
}

function notText(head: Uint8Array): string {
  const what = /^[[{]/.test(firstLine(head)) ? 'JSON' : 'text'
  return `${what}, but no flow log: neither a header line nor a flow record`
}

/**
 * Whether text is a flow log, by its first line that is not blank; null if it is none. Never a guess: a header names the fields, or
 * `--format` does. Records after something else are told as unreadable: a header that was damaged must not hide them.
 */
function judgeText(head: Uint8Array, format: Layout | null): Verdict | null {
  const first = firstLine(head)
  const header = headerOf(first)
  if (header !== null && header !== 'damaged') {
    return { reader: { layout: null, stamped: isStamped(first) }, status: 'read', problem: null }
  }
  const text = new TextDecoder().decode(head.subarray(0, headBytes))
  // Before `--format`, which cannot help where each record stands in something else.
  const wrapping = wrappingOf(text, format?.fields.length ?? null)
  if (wrapping !== null) return unreadable(wrapping)
  const lines = text.split('\n').map(line => line.replace(/\r$/, ''))
  const records = lines.filter(looksLikeRecord)
  // By most of them: the first may be damaged.
  const stamped = records.filter(isStamped).length * 2 > records.length
  if (/^[[{]/.test(first)) return null
  const atOnce = looksLikeRecord(first)
  if (!atOnce && !records.some(isSurelyRecord)) return null
  if (format) return { reader: { layout: format, stamped }, status: 'read', problem: null }
  const why =
    header === 'damaged'
      ? `their header cannot be read: ${faultOfHeader(first, false)}`
      : atOnce
        ? 'no header line names their fields'
        : 'their first line is no header that names their fields'
  return unreadable(`flow records, but ${why}: say which with --format (default, v3, v5, tgw or the field names)`)
}

/** Text of two bytes a letter, as PowerShell's `>` writes it, if it is a flow log. */
function judgeWideText(head: Uint8Array): Verdict | null {
  const encoding = wideEncodingOf(head)
  if (encoding === null) return null
  const text = new TextDecoder(encoding.decoder).decode(head.subarray(0, head.length & ~1))
  if (judgeText(new TextEncoder().encode(text), null) === null) return null
  return unreadable(
    `UTF-16 text, as PowerShell's > writes it: convert it, e.g. iconv -f ${encoding.name} -t UTF-8 FILE > FILE.log, and add that`,
  )
}

function wideEncodingOf(head: Uint8Array): { decoder: string; name: string } | null {
  const [a, b] = head
  if (a === 0xff && b === 0xfe) return { decoder: 'utf-16le', name: 'UTF-16' }
  if (a === 0xfe && b === 0xff) return { decoder: 'utf-16be', name: 'UTF-16' }
  const start = head.subarray(0, 512)
  const zeros = [0, 0]
  start.forEach((byte, i) => {
    if (byte === 0) zeros[i % 2]!++
  })
  const most = start.length * 0.45
  if (zeros[1]! > most && zeros[0] === 0) return { decoder: 'utf-16le', name: 'UTF-16LE' }
  if (zeros[0]! > most && zeros[1] === 0) return { decoder: 'utf-16be', name: 'UTF-16BE' }
  return null
}

/** The first line that is not blank, as far as it is in the head. */
function firstLine(head: Uint8Array): string {
  let from = 0
  while (head[from] === CR || head[from] === LF) from++
  const newline = head.indexOf(LF, from)
  const end = Math.min(newline < 0 ? head.length : newline, from + headBytes)
  return new TextDecoder().decode(head.subarray(from, end)).replace(/\r$/, '')
}
