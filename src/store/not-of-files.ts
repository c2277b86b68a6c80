/** Runs of numbers from so many on are given by their ends. */
const runMin = 4

/** The condition on rows that they are of none of these files. */
export function notOfFiles(ids: readonly number[]): string {
  const sorted = [...new Set(ids)].sort((a, b) => a - b)
  const single: number[] = []
  const runs: string[] = []
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (sorted[to + 1] === sorted[to]! + 1) to++
    if (to - from + 1 < runMin) single.push(...sorted.slice(from, to + 1))
    else runs.push(`_file NOT BETWEEN ${sorted[from]} AND ${sorted[to]}`)
    from = to + 1
  }
  return [...runs, ...(single.length === 0 ? [] : [`_file NOT IN (${single.join(', ')})`])].join(' AND ')
}
