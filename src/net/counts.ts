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

const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** A size in words, rounded: `252.9 MiB`. */
export function sizeText(bytes: Count): string {
  let value = Number(bytes)
  let unit = 0
  // 1023.95 would be rounded to 1024.0, which is the next unit's 1.0.
  while (value >= 1023.95 && unit < sizeUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? integerText(bytes) : value.toFixed(1)} ${sizeUnits[unit]}`
}
