/** What the arguments of `tidemark flows` and `detect` are: a filter, with or without quotes, and paths. */
import { UserError } from '../errors.ts'
import { isSourceUri } from '../sources/uri.ts'
import { requirePaths } from './arguments.ts'
import type { FlowsCliOptions } from './flows-options.ts'

type FilterOptions = Pick<FlowsCliOptions, 'nfdump' | 'param'>

/**
 * Splits `[FILTER] [PATH…]`: the first argument is a filter if it reads as one, or if it names no file; so are several together, a filter
 * without quotes, of which the rest are paths.
 */
export async function splitFilter(
  args: string[],
  afterDashes: number,
  options: FilterOptions,
  where: Parameters<typeof requirePaths>[1] = 'here',
): Promise<{ filter: string | undefined; paths: string[] }> {
  const [first, ...rest] = args
  if (first === undefined) return { filter: undefined, paths: [] }
  const open = args.length - afterDashes
  const isFilter = open > 0 && (await fault(first, options)) === null
  if (open === 0 || (!isFilter && (await exists(first)))) {
    await requirePaths(args, where)
    return { filter: undefined, paths: args }
  }
  const words = await unquoted(args, open, options)
  if (words > 1) return { filter: args.slice(0, words).join(' '), paths: args.slice(words) }
  const isPath = await Promise.all(rest.map(exists))
  if (!isFilter && isPath.includes(false)) throw await fault(args.slice(0, open).join(' '), options)
  await requirePaths(rest, where)
  return { filter: first, paths: rest }
}

/** How many arguments are a filter together, where those after them are paths; 0: none are, beyond the first. */
async function unquoted(args: readonly string[], open: number, options: FilterOptions): Promise<number> {
  for (let words = open; words > 1; words--) {
    const paths = await Promise.all(args.slice(words).map(exists))
    if (paths.includes(false)) return 0
    if (await exists(args[words - 1]!)) continue
    if ((await fault(args.slice(0, words).join(' '), options)) === null) return words
  }
  return 0
}

/** What is wrong with a filter; null: it reads. */
async function fault(text: string, options: FilterOptions): Promise<UserError | null> {
  const { parse } = await import('../filter/filter.ts')
  try {
    parse(text, {
      nfdump: options.nfdump === true,
      ...(options.param && { params: options.param, fileParams: Object.keys(options.param) }),
    })
    return null
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  const { existsSync } = await import('node:fs')
  return path === '-' || isSourceUri(path) || existsSync(path)
}
