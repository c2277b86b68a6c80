/** A slow reader of what `carve` writes, of its own. */
export interface Read {
  packets: { bytes: Uint8Array; microseconds: number; comment: string | null }[]
}

export function read(file: Buffer): Read {
  return file.readUInt32LE(0) === 0xa1b23c4d ? readPcap(file) : readPcapng(file)
}

function readPcap(file: Buffer): Read {
  const packets: Read['packets'] = []
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8)
    const microseconds = file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4) / 1000
    packets.push({ bytes: file.subarray(at + 16, at + 16 + length), microseconds, comment: null })
    at += 16 + length
  }
  return { packets }
}

function readPcapng(file: Buffer): Read {
  const packets: Read['packets'] = []
  for (let at = 0; at < file.length; ) {
    const type = file.readUInt32LE(at)
    const total = file.readUInt32LE(at + 4)
    if (file.readUInt32LE(at + total - 4) !== total) throw new Error('a block ends as it begins')
    if (type === 6) {
      const time = (BigInt(file.readUInt32LE(at + 12)) << 32n) | BigInt(file.readUInt32LE(at + 16))
      const length = file.readUInt32LE(at + 20)
      const options = at + 28 + ((length + 3) & ~3)
      const comment = file.subarray(options + 4, options + 4 + file.readUInt16LE(options + 2)).toString()
      packets.push({
        bytes: file.subarray(at + 28, at + 28 + length),
        microseconds: Number(time / 1000n),
        comment: file.readUInt16LE(options) === 1 ? comment : null,
      })
    }
    at += total
  }
  return { packets }
}
