/** Which part of a subject's records is asked for: `--from`, `--to`, `--sensor`. */
import type { Command } from 'commander'
import { exitStatus, UserError } from '../errors.ts'
import type { SelectionOptions } from '../investigate/selection.ts'
import { Option } from './commander.ts'
import { collectText } from './options.ts'

export interface SelectionCliOptions {
  from?: string
  to?: string
  sensor?: string[]
}

export function addSelectionOptions(command: Command): Command {
  return command
    .option('--from <time>', 'only records that end at it or later: 2023-09-28, 2023-09-28T19:00, in UTC')
    .option('--to <time>', 'only records that start before it; before the end of it, where it is a day')
    .addOption(
      new Option('--sensor <name>', 'only records of a sensor, e.g. an interface (repeatable)').argParser(collectText),
    )
}

/** @throws UserError for a time that is none, and for a window that ends before it begins. */
export async function selectionOf({ from, to, sensor }: SelectionCliOptions): Promise<SelectionOptions> {
  const from_us = from === undefined ? undefined : await timeOf('--from', from)
  const to_us = to === undefined ? undefined : (await timeOf('--to', to)) + (isDay(to) ? day_us : 0)
  if (from_us !== undefined && to_us !== undefined && from_us >= to_us) {
    throw new UserError(`the window ends before it begins: --from ${from} --to ${to}`, { status: exitStatus.usage })
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

async function timeOf(option: string, text: string): Promise<number> {
  const { parseTime } = await import('../filter/values.ts')
  const us = parseTime(text.trim(), false)
  if (us === null) {
    throw new UserError(`not a time: ${option} ${text}`, {
      hint: 'write 2023-09-28, 2023-09-28T19:00, 2023-09-28T19:00:05Z or Unix seconds; without a zone it is UTC',
      status: exitStatus.usage,
    })
  }
  return Number(us)
}
