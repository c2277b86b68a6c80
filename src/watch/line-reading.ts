/** Lines that one process writes to another: they end with a line feed, and nothing else. Node's readline ends them at U+2028 too, which JSON may hold. */
import type { Readable } from 'node:stream'

export function onLine(stream: Readable, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (piece: string) => {
    const lines = `${rest}${piece}`.split('\n')
    rest = lines.pop()!
    for (const line of lines) take(line)
  })
}
