import type { OutputFile } from '../disk/output-file.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { Captured } from '../packet/captured.ts'

/** Takes packets as they were captured. */
export interface CaptureWriter {
  /** `source`: where the packet comes from, for people. */
  add(captured: Captured, source: string): void
  /** Called between pieces of a capture. */
  settle(): Promise<void>
  finish(): Promise<void>
  abandon(): void
}

/** pcap with nanoseconds (draft-ietf-opsawg-pcap): one link type, no place for comments. */
export class PcapWriter implements CaptureWriter {
  private readonly out: OutputFile
  private linkType = -1

  constructor(out: OutputFile) {
    this.out = out
  }

  add(captured: Captured): void {
    if (this.linkType < 0) this.header(captured.linkType)
    else if (captured.linkType !== this.linkType) {
      throw new UserError('a pcap file holds one link type, and these packets have several', {
        hint: 'name the output with .pcapng',
        status: exitStatus.usage,
      })
    }
    const length = captured.to - captured.from
    const { buffer, at } = this.out.room(16 + length)
    const seconds = Math.floor(captured.time / 1e6)
    // Seconds of 32 bits: other times, which pcapng can hold, wrap.
    buffer.writeUInt32LE(seconds >>> 0, at)
    buffer.writeUInt32LE((captured.time - seconds * 1e6) * 1000 + captured.nanoseconds, at + 4)
    buffer.writeUInt32LE(length, at + 8)
    buffer.writeUInt32LE(captured.wireLength, at + 12)
    buffer.set(captured.bytes.subarray(captured.from, captured.to), at + 16)
  }

  settle(): Promise<void> {
    return this.out.settle()
  }

  finish(): Promise<void> {
    if (this.linkType < 0) this.header(1)
    return this.out.finish()
  }

  abandon(): void {
    this.out.abandon()
  }

  private header(linkType: number): void {
    this.linkType = linkType
    const { buffer, at } = this.out.room(24)
    buffer.writeUInt32LE(0xa1b23c4d, at)
    buffer.writeUInt16LE(2, at + 4)
    buffer.writeUInt16LE(4, at + 6)
    buffer.writeUInt32LE(0, at + 8)
    buffer.writeUInt32LE(0, at + 12)
    buffer.writeUInt32LE(262_144, at + 16)
    buffer.writeUInt32LE(linkType, at + 20)
  }
}

const sectionHeader = 0x0a0d0d0a
const interfaceDescription = 1
const enhancedPacket = 6
const optComment = 1
const ifTsresol = 9
const nanosecondResolution = 9

/** pcapng (draft-ietf-opsawg-pcapng): an interface for each link type; each packet says in a comment where it comes from. */
export class PcapngWriter implements CaptureWriter {
  private readonly out: OutputFile
  private readonly interfaces = new Map<number, number>()

  constructor(out: OutputFile) {
    this.out = out
    const { buffer, at } = this.out.room(28)
    buffer.writeUInt32LE(sectionHeader, at)
    buffer.writeUInt32LE(28, at + 4)
    buffer.writeUInt32LE(0x1a2b3c4d, at + 8)
    buffer.writeUInt16LE(1, at + 12)
    buffer.writeUInt16LE(0, at + 14)
    buffer.writeBigInt64LE(-1n, at + 16)
    buffer.writeUInt32LE(28, at + 24)
  }

  add(captured: Captured, source: string): void {
    const number = this.interfaces.get(captured.linkType) ?? this.describe(captured.linkType)
    const length = captured.to - captured.from
    const comment = Buffer.from(source).subarray(0, 1024)
    const padded = (length + 3) & ~3
    const paddedComment = (comment.length + 3) & ~3
    const total = 32 + padded + 8 + paddedComment
    const { buffer, at } = this.out.room(total)
    buffer.fill(0, at, at + total)
    buffer.writeUInt32LE(enhancedPacket, at)
    buffer.writeUInt32LE(total, at + 4)
    buffer.writeUInt32LE(number, at + 8)
    const time = BigInt(captured.time) * 1000n + BigInt(captured.nanoseconds)
    buffer.writeUInt32LE(Number(BigInt.asUintN(32, time >> 32n)), at + 12)
    buffer.writeUInt32LE(Number(BigInt.asUintN(32, time)), at + 16)
    buffer.writeUInt32LE(length, at + 20)
    buffer.writeUInt32LE(captured.wireLength, at + 24)
    buffer.set(captured.bytes.subarray(captured.from, captured.to), at + 28)
    const options = at + 28 + padded
    buffer.writeUInt16LE(optComment, options)
    buffer.writeUInt16LE(comment.length, options + 2)
    buffer.set(comment, options + 4)
    // opt_endofopt is four zeros.
    buffer.writeUInt32LE(total, at + total - 4)
  }

  settle(): Promise<void> {
    return this.out.settle()
  }

  finish(): Promise<void> {
    // Readers want an interface, also where there is no packet.
    if (this.interfaces.size === 0) this.describe(1)
    return this.out.finish()
  }

  abandon(): void {
    this.out.abandon()
  }

  private describe(linkType: number): number {
    const number = this.interfaces.size
    this.interfaces.set(linkType, number)
    const total = 32
    const { buffer, at } = this.out.room(total)
    buffer.fill(0, at, at + total)
    buffer.writeUInt32LE(interfaceDescription, at)
    buffer.writeUInt32LE(total, at + 4)
    buffer.writeUInt16LE(linkType, at + 8)
    buffer.writeUInt32LE(262_144, at + 12)
    buffer.writeUInt16LE(ifTsresol, at + 16)
    buffer.writeUInt16LE(1, at + 18)
    buffer.writeUInt8(nanosecondResolution, at + 20)
    buffer.writeUInt32LE(total, at + total - 4)
    return number
  }
}
