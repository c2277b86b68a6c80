/** The memory that conversations need: told before it is missing, for then the system ends the process without a word. */
import { UserError } from '../errors.ts'
import { integerText } from '../net/counts.ts'

/** Bytes that stay while the conversations of a case are worked out: some for each record, for each thread those of a part. */
export function bytesOfWhole(
  records: number,
  wanted: { connections?: boolean; records?: boolean; chosen?: unknown },
): number {
  const { connections = false, records: ofRecords = false, chosen } = wanted
  return records * (1 + (connections ? 1 : 0) + (ofRecords ? 5 : 0) + (chosen === undefined ? 0 : 2))
}

/** Bytes that the records of a part take, with the connections that become of them: of most pairs of ends there is one. */
export function bytesOfPart(records: number): number {
  return 160 * records
}

/** Bytes of a record of a question with all that is made of it: 430 were measured, of which DuckDB can put a part on the disk. */
const bytesOfRecord = 400

/**
 * Keeps count of the records that a question reads.
 *
 * @param free bytes that this process may still have.
 * @returns to be called with the number of those that were read so far. @throws UserError where they are too many.
 */
export function recordLimit(free = process.availableMemory()): (records: number) => void {
  const most = Math.floor(free / bytesOfRecord)
  return records => {
    if (records <= most) return
    throw new UserError(
      `too little memory for the records of these addresses: there are more than ${integerText(most)}, and about ${gib(free)} are free for them`,
      {
        hint: 'ask for fewer addresses at once, close other programs, raise the limit of the container, or sum the traffic: tidemark flows',
      },
    )
  }
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
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
  throw new UserError(
    `too little memory for the conversations of all ${integerText(records)} records: about ${gib(bytes)} are needed, ${gib(free)} are free`,
    {
      hint: 'close other programs, raise the limit of the container, or ask for the traffic of some addresses: tidemark investigate',
    },
  )
}
