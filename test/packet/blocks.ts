// pcapng, block by block (draft-ietf-opsawg-pcapng). A `Section` writes in its byte order.
import { type Bytes, be16, be32, zeros } from './build.ts'

export type Option = readonly [code: number, value: Bytes]

export class Section {
  private readonly big: boolean

  constructor(big = false) {
    this.big = big
  }

  u16(value: number): Bytes {
    return this.big ? be16(value) : [...be16(value)].reverse()
  }

  u32(value: number): Bytes {
    return this.big ? be32(value) : [...be32(value)].reverse()
  }

  u64(value: bigint): Bytes {
    const halves = [Number((value >> 32n) & 0xffff_ffffn), Number(value & 0xffff_ffffn)]
    return (this.big ? halves : halves.reverse()).flatMap(half => this.u32(half))
  }

  block(type: number, body: Bytes): Bytes {
    const length = 12 + body.length + (-body.length & 3)
    return [...this.u32(type), ...this.u32(length), ...padded(body), ...this.u32(length)]
  }

  options(list: readonly Option[]): Bytes {
    if (list.length === 0) return []
    const all = list.flatMap(([code, value]) => [...this.u16(code), ...this.u16(value.length), ...padded(value)])
    return [...all, ...zeros(4)]
  }

  header(major = 1, minor = 0): Bytes {
    const unknownLength = this.u64(0xffff_ffff_ffff_ffffn)
    return this.block(0x0a0d0d0a, [...this.u32(0x1a2b3c4d), ...this.u16(major), ...this.u16(minor), ...unknownLength])
  }

  interface(linkType: number, snapLength = 0, list: readonly Option[] = []): Bytes {
    return this.block(1, [...this.u16(linkType), 0, 0, ...this.u32(snapLength), ...this.options(list)])
  }

  /** A time is written high half first, in either order. */
  private time(units: bigint): Bytes {
    return [...this.u32(Number(units >> 32n)), ...this.u32(Number(units & 0xffff_ffffn))]
  }

  enhanced(id: number, time: bigint, bytes: Bytes, wire = bytes.length, list: readonly Option[] = []): Bytes {
    const lengths = [...this.u32(bytes.length), ...this.u32(wire)]
    return this.block(6, [...this.u32(id), ...this.time(time), ...lengths, ...padded(bytes), ...this.options(list)])
  }

  obsolete(id: number, drops: number, time: bigint, bytes: Bytes): Bytes {
    const lengths = [...this.u32(bytes.length), ...this.u32(bytes.length)]
    return this.block(2, [...this.u16(id), ...this.u16(drops), ...this.time(time), ...lengths, ...padded(bytes)])
  }

  simple(wire: number, bytes: Bytes): Bytes {
    return this.block(3, [...this.u32(wire), ...bytes])
  }

  statistics(id: number, list: readonly Option[]): Bytes {
    return this.block(5, [...this.u32(id), ...this.time(0n), ...this.options(list)])
  }
}

function padded(bytes: Bytes): Bytes {
  return [...bytes, ...zeros(-bytes.length & 3)]
}
