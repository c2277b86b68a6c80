/** The first piece, or as many as it takes for `bytes` bytes; less only where there is no more. Only one piece is there as it was given. */
export async function headOf(pieces: AsyncIterator<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const first = await pieces.next()
  if (first.done) return new Uint8Array(0)
  if (first.value.length >= bytes) return first.value
  const parts = [first.value.slice()]
  for (let length = first.value.length; length < bytes; ) {
    const next = await pieces.next()
    if (next.done) break
    parts.push(next.value.slice())
    length += next.value.length
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** The pieces with their beginning, which was taken to look at. */
export async function* joined(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head
  yield* rest
}
