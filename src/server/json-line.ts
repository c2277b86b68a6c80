/** JSON of one line for the page: integers beyond 2^53, which its parser would round, are text. */
export function toLine(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? exact(inner) : inner))
}

function exact(value: bigint): number | string {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : String(value)
}
