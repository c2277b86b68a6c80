/** The memory that conversations of a whole case need: told before it is missing, for then the system ends the process without a word. */
import { UserError } from '../errors.ts'

/** Bytes that stay while the conversations of a case are worked out: some for each record, for each thread those of a part. */
export function bytesOfWhole(records: number, wanted: { connections?: boolean; records?: boolean }): number {
  return records * (1 + (wanted.connections === true ? 1 : 0) + (wanted.records === true ? 5 : 0))
}

/** Bytes that the records of a part take, with the connections that become of them: of most pairs of ends there is one. */
export function bytesOfPart(records: number): number {
  return 160 * records
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
