/** Colours of values that are drawn beside each other: a value keeps its own as long as the page is open. */

const seriesCount = 5
const given = new Map<string, number>()

/** A colour of theme.css for each of at most five values; the same value has the same colour, unless two would share one. */
export function coloursOf(values: readonly string[]): string[] {
  const used = new Set(values.flatMap(value => given.get(value) ?? []))
  const taken = new Set<number>()
  return values.map(value => {
    const known = given.get(value)
    const isFree = known !== undefined && !taken.has(known)
    const number = isFree ? known : (freeOf(new Set([...used, ...taken])) ?? freeOf(taken) ?? seriesCount)
    taken.add(number)
    if (number < seriesCount) given.set(value, number)
    return number < seriesCount ? `series-${number + 1}` : 'series-other'
  })
}

function freeOf(taken: ReadonlySet<number>): number | undefined {
  return [...Array(seriesCount).keys()].find(number => !taken.has(number))
}
