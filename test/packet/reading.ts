import { CaptureDecoder } from '../../src/packet/capture.ts'
import { Decoder } from '../../src/packet/decode.ts'
import { Packet, tunnelNames } from '../../src/packet/packet.ts'
import { reasonNames } from '../../src/packet/reasons.ts'
import type { Bytes } from './build.ts'

export type Plain = Record<string, number | boolean | string>

/** The address in hexadecimal words, or a dotted quad. */
function address(words: readonly number[]): string {
  const [a, b, c, d] = words.map(word => word >>> 0)
  if (a === 0 && b === 0 && c === 0xffff) return [d! >>> 24, (d! >>> 16) & 255, (d! >>> 8) & 255, d! & 255].join('.')
  return words.map(word => (word >>> 0).toString(16).padStart(8, '0')).join(':')
}

export function plain(packet: Packet): Plain {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3, tunnel, ...rest } = packet
  return {
    ...rest,
    src: address([src0, src1, src2, src3]),
    dst: address([dst0, dst1, dst2, dst3]),
    tunnel: tunnelNames[tunnel]!,
  }
}

/** Decodes one packet of a link type: what it is, or why it is none. */
export function decodeOne(linkType: number, bytes: Bytes, wire = bytes.length): Plain | string {
  const packet = new Packet()
  // In the middle of a buffer, so that what lies around it would be seen if it were read.
  const buffer = Uint8Array.from([...new Array(7).fill(0x45), ...bytes, ...new Array(60).fill(0x45)])
  const reason = new Decoder().decode(buffer, 7, 7 + bytes.length, wire, linkType, packet)
  return reason === 0 ? plain(packet) : reasonNames[reason]!
}

/** The values of some fields of a packet that must be decoded. */
export function fieldsOf(packet: Plain | string, ...names: string[]): Plain {
  if (typeof packet === 'string') throw new Error(`not decoded: ${packet}`)
  return Object.fromEntries(names.map(name => [name, packet[name]!]))
}

/** Reads a whole capture, in pieces whose sizes are taken in turn from `sizes`. */
export function readAll(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]) {
  const packets: Plain[] = []
  const capture = new CaptureDecoder(packet => packets.push(plain(packet)))
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const next = at + Math.max(1, sizes[turn % sizes.length]!)
    capture.feed(bytes.slice(at, next))
    at = next
  }
  capture.end()
  return { packets, accounts: capture.accounts, reader: capture.reader, damage: capture.reader.damage }
}
