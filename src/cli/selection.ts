/** Which part of a subject's records is asked for: `--from`, `--to`, `--sensor`. */
import { exitStatus, UserError } from '../errors.ts'
import type { SelectionOptions } from '../investigate/selection.ts'

export interface SelectionCliOptions {
  from?: string
  to?: string
  sensor?: string[]
}

/**
 * @param option that has both times, where they are not of `--from` and `--to`.
 * @throws UserError for a text that is not a time, and for a window that ends before it begins.
 */
export async function selectionOf(
  { from, to, sensor }: SelectionCliOptions,
  option?: string,
): Promise<SelectionOptions> {
  const from_us = from === undefined ? undefined : await timeOf(option ?? '--from', from)
  const to_us = to === undefined ? undefined : (await timeOf(option ?? '--to', to)) + (isDay(to) ? day_us : 0)
  if (from_us !== undefined && to_us !== undefined && from_us >= to_us) {
    const window = option === undefined ? `--from ${from} --to ${to}` : `${option} ${from}..${to}`
    throw new UserError(`the window ends before it begins: ${window}`, { status: exitStatus.usage })
  }
  return {
    ...(from_us !== undefined && { from_us }),
    ...(to_us !== undefined && { to_us }),
    ...(sensor !== undefined && { sensors: sensor }),
  }
}

const day_us = 86_400_000_000

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text.trim())
}

/** Microseconds since the epoch. */
export async function timeOf(option: string, text: string): Promise<number> {
  const { parseTime } = await import('../net/time.ts')
  const us = parseTime(text.trim(), false)
  if (us === null) {
    throw new UserError(`not a time: ${option} ${text}`, {
      hint: 'write 2023-09-28, 2023-09-28T19:00, 2023-09-28T19:00:05Z or Unix seconds; without a zone it is UTC',
      status: exitStatus.usage,
    })
  }
  return Number(us)
}
