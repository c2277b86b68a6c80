/** What a value from outside must look like: it is checked, not believed, and copied without the parts that nobody asked for. */

/** Returns the value as it is to be used. @throws Misfit */
export type Shape<T> = (value: unknown) => T
export type Fitting<S> = S extends Shape<infer T> ? T : never

/** Why a value does not fit, and where in it. */
class Misfit extends Error {
  readonly place: string[] = []
}

/** What a shape of one's own does with a value that does not fit. */
export function fail(what: string): never {
  throw new Misfit(what)
}

/** The value as its shape has it, or in words what is wrong with it: `evidence.0.lines: not a count`. */
export function fit<T>(shape: Shape<T>, value: unknown): { value: T; fault: null } | { value: null; fault: string } {
  try {
    return { value: shape(value), fault: null }
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    return { value: null, fault: [error.place.join('.'), error.message].filter(part => part !== '').join(': ') }
  }
}

/** Does what checks a part; what it throws says where that part stands. */
function at<T>(place: string | number, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof Misfit) error.place.unshift(String(place))
    throw error
  }
}

export const anything: Shape<unknown> = value => value
export const text: Shape<string> = value => (typeof value === 'string' ? value : fail('not a text'))
export const yesOrNo: Shape<boolean> = value => (typeof value === 'boolean' ? value : fail('neither true nor false'))
export const number: Shape<number> = value =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail('not a number')
/** A whole number, not below zero, exact. */
export const count: Shape<number> = value =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail('not a count')
/** The same, also beyond 2^53. */
export const wideCount: Shape<number | bigint> = value =>
  typeof value === 'bigint' && value >= 0n ? value : count(value)

/** @param what what a text is that does not pass. */
export function textThat(passes: (value: string) => boolean, what: string): Shape<string> {
  return value => (passes(text(value)) ? (value as string) : fail(what))
}

export function countFrom(least: number, most = Number.MAX_SAFE_INTEGER): Shape<number> {
  return value => {
    const found = count(value)
    return found >= least && found <= most ? found : fail(`not from ${least} to ${most}`)
  }
}

/** A whole number, which may be below zero. */
export function wholeFrom(least: number, most: number): Shape<number> {
  return value =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : fail(`not a whole number from ${least} to ${most}`)
}

export function oneOf<const T extends string | number>(...values: readonly T[]): Shape<T> {
  const known: ReadonlySet<unknown> = new Set(values)
  return value => (known.has(value) ? (value as T) : fail(`not ${values.join(' or ')}`))
}

export function nullOr<T>(shape: Shape<T>): Shape<T | null> {
  return value => (value === null ? null : shape(value))
}

/** What stands for a part that is not there. */
export function absent<T, D>(shape: Shape<T>, instead: D): Shape<T | D> {
  return value => (value === undefined ? instead : shape(value))
}

export function listOf<T>(shape: Shape<T>): Shape<T[]> {
  // Holes too, which `map` would pass over.
  return value => (Array.isArray(value) ? Array.from(value, (one, i) => at(i, () => shape(one))) : fail('not a list'))
}

export function recordOf<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return value => {
    const entries = Object.entries(object(value)).filter(([key]) => key !== '__proto__')
    return Object.fromEntries(entries.map(([key, part]) => [key, at(key, () => shape(part))]))
  }
}

type Fields = Record<string, Shape<unknown>>
type Parts<F extends Fields, O extends Fields> = { [K in keyof F]: Fitting<F[K]> } & {
  [K in keyof O]?: Fitting<O[K]> | undefined
}

/** An object with these parts; others are left out. `optional` ones may be absent, and are absent then. */
export function objectOf<F extends Fields, O extends Fields = Record<never, never>>(
  fields: F,
  optional?: O,
): Shape<Parts<F, O>> {
  const must = Object.entries(fields)
  const may = Object.entries(optional ?? {})
  return value => {
    const given = object(value)
    const parts: Record<string, unknown> = {}
    for (const [key, shape] of must) parts[key] = at(key, () => shape(given[key]))
    for (const [key, shape] of may) if (given[key] !== undefined) parts[key] = at(key, () => shape(given[key]))
    return parts as Parts<F, O>
  }
}

/** The same, where other parts are wrong. */
export function onlyObjectOf<F extends Fields, O extends Fields = Record<never, never>>(
  fields: F,
  optional?: O,
): Shape<Parts<F, O>> {
  const shape = objectOf(fields, optional)
  return value => {
    const strange = Object.keys(object(value)).find(
      key => !Object.hasOwn(fields, key) && !Object.hasOwn(optional ?? {}, key),
    )
    return strange === undefined ? shape(value) : fail(`unknown part: ${strange}`)
  }
}

/** The first of the shapes that fits. */
export function eitherOf<S extends readonly Shape<unknown>[]>(...shapes: S): Shape<Fitting<S[number]>> {
  return value => {
    for (const shape of shapes) {
      const found = fit(shape, value)
      if (found.fault === null) return found.value as Fitting<S[number]>
    }
    return fail('none of what it may be')
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail('not an object')
}
