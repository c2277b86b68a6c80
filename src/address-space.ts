import { readFileSync } from 'node:fs'
import { UserError } from './errors.ts'

/** What Node and DuckDB reserve together, most of which they never touch. */
const processBytes = 3 * 2 ** 29 // 1.5 GiB
const threadBytes = 3 * 2 ** 28 // 768 MiB

/** How much address space this process may have (`ulimit -v`); infinite where there is no limit or none is known. */
export function addressSpaceMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1')
    return Number(/^Max address space +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/**
 * How many threads, of those that are wanted, there is address space for, at least one: an engine that finds none ends the process,
 * and nothing can be said any more.
 *
 * @throws UserError where there is not enough for one.
 */
export function threadsThatFit(wanted: number, bytes = addressSpaceMax()): number {
  const fitting = Math.floor((bytes - processBytes) / threadBytes)
  if (fitting >= 1) return Math.min(wanted, fitting)
  throw new UserError(`too little address space: ${Math.floor(bytes / 1024)} KiB (ulimit -v)`, {
    hint: `allow ${(processBytes + threadBytes) / 1024} KiB or more, or take the limit away: ulimit -v unlimited`,
  })
}
