import { crc32 } from 'node:zlib'

/** Archives as other programs make them: a few files, nothing compressed. */

/** As GNU tar writes it; a name that ends in a slash is a folder. */
export function tar(files: Record<string, string | Uint8Array>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => [
    ...(name.length > 100 ? entry('././@LongLink', `${name}\0`, 'L') : []),
    ...entry(name.slice(0, 100), content, name.endsWith('/') ? '5' : '0'),
  ])
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function entry(name: string, content: string | Uint8Array, type: string): Buffer[] {
  const header = Buffer.alloc(512)
  const body = bytesOf(content)
  header.write(name, 0, 'latin1')
  header.write('0000644\0', 100)
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write(type, 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
}

export function zip(files: Record<string, string | Uint8Array>, { encrypted = false } = {}): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const [path, body] = [Buffer.from(name), bytesOf(content)]
    const local = Buffer.alloc(30)
    local.write('PK\x03\x04', 0, 'latin1')
    local.writeUInt16LE(encrypted ? 1 : 0, 6)
    local.writeUInt32LE(crc32(body), 14)
    local.writeUInt32LE(body.length, 18)
    local.writeUInt32LE(body.length, 22)
    local.writeUInt16LE(path.length, 26)
    const listed = Buffer.alloc(46)
    listed.write('PK\x01\x02', 0, 'latin1')
    listed.writeUInt16LE(encrypted ? 1 : 0, 8)
    listed.writeUInt32LE(crc32(body), 16)
    listed.writeUInt32LE(body.length, 20)
    listed.writeUInt32LE(body.length, 24)
    listed.writeUInt16LE(path.length, 28)
    listed.writeUInt32LE(offset, 42)
    locals.push(local, path, body)
    central.push(listed, path)
    offset += 30 + path.length + body.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

function bytesOf(content: string | Uint8Array): Buffer {
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.slice())
}
