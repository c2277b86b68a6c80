/** The filter language: nfdump's, over all fields of flow records. docs/reference/filter.md tells what each form means. */
import { dirname, resolve } from 'node:path'
import { NotRegularError, TooLargeError } from '../disk/nodes.ts'
import { readSmall } from '../disk/reading.ts'
import { errorCode, errorText } from '../errors.ts'
import type { Filter } from './ast.ts'
import { type Building, build, checkName } from './build.ts'
import { FilterError, type Place, type Source } from './error.ts'
import { written } from './grammar.ts'
import { readSet } from './set.ts'
import { knownFields } from './things.ts'
import { bracket, type Include, isParameter, LParen, type Params, placeOf, RParen, tokensOf } from './tokens.ts'

export interface ParseOptions {
  /** Means exactly what nfdump 1.7.1 means. */
  nfdump?: boolean
  /** Columns of the flows, so that those which Tidemark does not know can be named. */
  columns?: Iterable<string>
  /** Where files that the filter names are looked for; by default the working folder. */
  folder?: string
  /** Whether the filter may name files; no, for a filter from elsewhere. `saved`: no, for it is of a saved query; the message says so. */
  files?: boolean | 'saved'
  /** Values of the parameters, `$name`, each of which is one value of the filter. */
  params?: Readonly<Record<string, string>>
  /** Names of the parameters whose value may be a file, `@FILE`: those that the user gave, whoever wrote the filter. */
  fileParams?: readonly string[]
}

/** nfdump's own limit. */
const includesWithin = 10
/** Of one filter, together: each file may name others ten deep, and more than one of them. */
const includesMax = 1000
const includeBytes = 16 * 2 ** 20
/** Of one file; its text has to fit a string. */
const setBytes = 256 * 2 ** 20

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
  const params = paramsOf(options)
  const included = { files: 0, bytes: 0 }
  const include: Include = (path, place, depth) => {
    if (depth > includesWithin)
      throw new FilterError(`exceeds ${includesWithin} files within one another: ${path}`, place)
    if (++included.files > includesMax)
      throw new FilterError(`exceeds ${includesMax} files in one filter: ${path}`, place)
    const file = readNamed(path, place, includeBytes, files)
    included.bytes += file.bytes.length
    if (included.bytes > includeBytes) {
      throw new FilterError(`exceeds ${includeBytes / 2 ** 20} MB in one filter: ${path}`, place)
    }
    const inner: Source = { file: path, text: new TextDecoder().decode(file.bytes), folder: dirname(file.path) }
    const tokens = tokensOf(inner, include, depth, params)
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
      const { bytes } = readNamed(file.value, place, setBytes, isParameter(file) || files)
      return readSet(type, file.value, bytes, place, largest)
    },
  }
  const tree = written(tokensOf(source, include, 0, params), source, name => checkName(name, building))
  return { text, ast: build(tree, building), nfdump, notes: building.notes }
}

/** A parameter's value is a text, or, where the user may name one, a file. */
function paramsOf({ params = {}, fileParams = [] }: ParseOptions): Params {
  const isFile = (name: string, value: string): boolean => fileParams.includes(name) && value.startsWith('@')
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, isFile(name, value) ? { file: value.slice(1) } : value]),
  )
}

const refusals: Record<string, [what: string, hint: string]> = {
  false: ['files are not read here', 'write its values as a list'],
  saved: [
    'a saved query reads no files, for it may have come with the case',
    'write the filter beside --query, or save it with a parameter, "src ip in $list", and give it the file: --param list=@FILE',
  ],
}

/** A file that a filter names, relative to the file that names it. */
function readNamed(
  path: string,
  place: Place,
  largest: number,
  allowed: boolean | 'saved',
): { path: string; bytes: Uint8Array } {
  if (allowed !== true) {
    const [what, hint] = refusals[String(allowed)]!
    throw new FilterError(`${what}: ${path}`, place, { hint })
  }
  const full = resolve(place.source.folder, path)
  try {
    return { path: full, bytes: readSmall(full, 'follow', largest) }
  } catch (error) {
    if (error instanceof TooLargeError) throw new FilterError(`exceeds ${largest / 2 ** 20} MB: ${path}`, place)
    if (error instanceof NotRegularError) throw new FilterError(`${error.what}: ${path}`, place)
    const what =
      errorCode(error) === 'ENOENT' ? 'no such file' : `file cannot be read (${errorCode(error) ?? errorText(error)})`
    throw new FilterError(`${what}: ${path}`, place)
  }
}
