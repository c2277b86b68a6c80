/** The memory that conversations of a whole case need: told before it is missing, for then the system ends the process without a word. */
import { UserError } from '../errors.ts'

/** Bytes that the records take on their way to numbers of pairs: a place for each, and up to as many pairs as records in a table. */
export function bytesOfRecords(records: number): number {
  return 5 * records + 32 * (records / 2)
}

/** Bytes that connections take with their roles. Of most pairs of ends there is one connection, of some there are two. */
export function bytesOfPairs(pairs: number): number {
  return 130 * pairs
}

/**
 * States that there is memory for the conversations of a case.
 *
 * @param bytes that they need beside what is used already, about.
 * @param free bytes that this process may still have, on its machine or in its container.
 * @throws UserError where it is too little.
 */
export function requireMemory(records: number, bytes: number, free = process.availableMemory()): void {
  if (bytes <= free) return
  const gib = (value: number): string => `${(value / 2 ** 30).toFixed(1)} GiB`
  throw new UserError(
    `too little memory for the conversations of all ${records.toLocaleString('en-US')} records: about ${gib(bytes)} are needed, ${gib(free)} are free`,
    {
      hint: 'close other programs, raise the limit of the container, or ask for the traffic of some addresses: tidemark investigate',
    },
  )
}
