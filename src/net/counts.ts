/** An exact integer: a bigint beyond 2^53. */
type Count = number | bigint

/** Every digit, in groups of three: `265,183,813`. */
export function integerText(count: Count): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** `1 record`, `33,232 records`; nouns with another plural name it. */
export function countText(count: Count, noun: string, plural = `${noun}s`): string {
  return `${integerText(count)} ${Number(count) === 1 ? noun : plural}`
}
