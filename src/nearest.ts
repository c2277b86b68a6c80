/** The word that was probably meant, or null if none is near. Of equally near ones that which goes on as typed, else the first. */
export function nearest(word: string, words: Iterable<string>): string | null {
  const typed = word.toLowerCase()
  let best: string | null = null
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1
  for (const candidate of words) {
    if (Math.abs(candidate.length - typed.length) > least) continue
    const distance = editDistance(typed, candidate.toLowerCase())
    const goesOn = distance === least && best !== null && candidate.startsWith(typed) && !best.startsWith(typed)
    if (distance < least || goesOn) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** Letters to insert, remove, replace or swap with their neighbour (optimal string alignment after Damerau and Levenshtein). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
