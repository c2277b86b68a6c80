/** The filter language: nfdump's, over all fields of flow records. docs/reference/filter.md tells what each form means. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errorCode, errorText } from '../errors.ts'
import type { Filter } from './ast.ts'
import { type Building, build, checkName } from './build.ts'
import { FilterError, type Place, type Source } from './error.ts'
import { written } from './grammar.ts'
import { readSet } from './set.ts'
import { knownFields } from './things.ts'
import { bracket, type Include, LParen, placeOf, RParen, tokensOf } from './tokens.ts'

export interface ParseOptions {
  /** Means exactly what nfdump 1.7.1 means. */
  nfdump?: boolean
  /** Columns of the flows, so that those which Tidemark does not know can be named. */
  columns?: Iterable<string>
  /** Where files that the filter names are looked for; by default the working folder. */
  folder?: string
  /** Whether the filter may name files; no, for a filter from elsewhere. */
  files?: boolean
  /** Values of the parameters, `$name`, each of which is one value of the filter. */
  params?: Readonly<Record<string, string>>
}

/** nfdump's own limit. */
const includesWithin = 10
const includeBytes = 16 * 2 ** 20
const setBytes = 512 * 2 ** 20

/**
 * Reads a filter. An empty text is `any`.
 *
 * @throws FilterError with the place, what was expected there and the nearest valid word.
 */
export function parse(text: string, options: ParseOptions = {}): Filter {
  const nfdump = options.nfdump ?? false
  const files = options.files ?? true
  const source: Source = { file: null, text, folder: options.folder ?? '' }
  const columns = new Set(options.columns ?? [])
  const include: Include = (path, place, depth) => {
    if (depth > includesWithin)
      throw new FilterError(`exceeds ${includesWithin} files within one another: ${path}`, place)
    const file = readNamed(path, place, includeBytes, files)
    const inner: Source = { file: path, text: new TextDecoder().decode(file.bytes), folder: dirname(file.path) }
    const tokens = tokensOf(inner, include, depth, options.params)
    if (tokens.length === 0) throw new FilterError(`empty file: ${path}`, place)
    // nfdump puts the text in as it is, so that "@include a and port 80" may bind otherwise than it looks.
    return nfdump ? tokens : [bracket(LParen, place), ...tokens, bracket(RParen, place)]
  }
  const building: Building = {
    nfdump,
    columns,
    fieldNames: [...knownFields, ...columns],
    notes: [],
    readSet: (type, file, largest) => {
      const place = placeOf(file)
      return readSet(type, file.value, readNamed(file.value, place, setBytes, files).bytes, place, largest)
    },
  }
  const tree = written(tokensOf(source, include, 0, options.params), source, name => checkName(name, building))
  return { text, ast: build(tree, building), nfdump, notes: building.notes }
}

/** A file that a filter names, relative to the file that names it. */
function readNamed(path: string, place: Place, largest: number, allowed: boolean): { path: string; bytes: Uint8Array } {
  if (!allowed) throw new FilterError(`files are not read here: ${path}`, place, { hint: 'write its values as a list' })
  const full = resolve(place.source.folder, path)
  try {
    const { size } = statSync(full)
    if (size > largest) throw new FilterError(`exceeds ${largest / 2 ** 20} MB: ${path}`, place)
    return { path: full, bytes: readFileSync(full) }
  } catch (error) {
    if (error instanceof FilterError) throw error
    const what =
      errorCode(error) === 'ENOENT' ? 'no such file' : `file can not be read (${errorCode(error) ?? errorText(error)})`
    throw new FilterError(`${what}: ${path}`, place)
  }
}
