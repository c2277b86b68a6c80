/**
 * The gate: what a query may be, by its parsed form.
 *
 * DuckDB says itself that SQL is no boundary, and its lock-down leaves a case's own files writable. So a query is let through only if
 * every part of its syntax tree is known: one SELECT, over documented views and its own common table expressions, with functions on
 * an allow-list. A part that is not known is refused, whatever it may do.
 */
import { aggregateNames, aggregating, functionNames, tableFunctionNames } from './allowed.ts'
import { viewNames } from './schema.ts'

/** Why a query is not run. */
export interface Refusal {
  message: string
  hint?: string
  /** Place in the UTF-8 text of the query; null: unknown. */
  position: number | null
  /** What was named, and what there is. */
  name?: string
  choices?: readonly string[]
}

type Node = Record<string, unknown>

/** Names that are known at a place: those of common table expressions, in lower case. */
type Scope = ReadonlySet<string>

class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

const queryNodes = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE'])
const modifiers = new Set(['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'LIMIT_PERCENT_MODIFIER', 'DISTINCT_MODIFIER'])
const orders = new Set(['ORDER_DEFAULT', 'ASCENDING', 'DESCENDING'])
const relations = new Set(['SUBQUERY', 'JOIN', 'EXPRESSION_LIST', 'EMPTY', 'PIVOT'])
const expressions = new Set([
  ...[
    'COLUMN_REF',
    'OPERATOR',
    'COMPARISON',
    'CONJUNCTION',
    'CASE',
    'SUBQUERY',
    'STAR',
    'LAMBDA',
    'BETWEEN',
    'COLLATE',
  ],
  'POSITIONAL_REFERENCE',
])

/** Letters, digits and `_`: a name that DuckDB cannot take for a file. */
const plainName = /^[\p{L}_][\p{L}\p{N}_]*$/u
const treeDepthMax = 3000

/**
 * Judges what DuckDB's `json_serialize_sql` says of a text.
 *
 * @param taken names of relations that are there and not documented, in lower case.
 * @returns null when the query may run.
 */
export function refusalOf(serialized: unknown, taken: ReadonlySet<string>): Refusal | null {
  try {
    const { error, statements } = asNode(serialized)
    if (error !== false || !Array.isArray(statements)) throw new Refused(unreadable(asNode(serialized)))
    if (statements.length === 0) refuse('no statement', null, 'write a query, like SELECT count(*) FROM flows')
    if (statements.length > 1) refuse('more than one statement', null, 'write one query at a time')
    const { node, named_param_map, ...rest } = asNode(statements[0])
    if (Object.keys(rest).length > 0) unknownPart(Object.keys(rest)[0]!, null)
    if (Array.isArray(named_param_map) && named_param_map.length > 0) {
      refuse('a parameter without a value', null, 'write the value itself')
    }
    new Walk(taken).query(asNode(node), new Set())
    return null
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

function unreadable({ error_message, position }: Node): Refusal {
  const message = String(error_message ?? 'not readable')
  const place = typeof position === 'string' && /^\d+$/.test(position) ? Number(position) : null
  if (/^Only SELECT statements/.test(message)) {
    const hint = 'a case is never changed: SELECT, WITH, VALUES, FROM, DESCRIBE and SUMMARIZE are what there is'
    return { message: 'not a query: only SELECT statements are run', hint, position: place }
  }
  return { message: message.split('\n')[0]!, position: place }
}

function refuse(message: string, position: number | null, hint?: string): never {
  throw new Refused({ message, position, ...(hint !== undefined && { hint }) })
}

function unknownPart(part: string, position: number | null): never {
  refuse(`not allowed in a query: ${part.toLowerCase().replaceAll('_', ' ')}`, position)
}

class Walk {
  private readonly taken: ReadonlySet<string>
  private depth = 0

  constructor(taken: ReadonlySet<string>) {
    this.taken = taken
  }

  query(node: Node, outer: Scope): void {
    if (!queryNodes.has(String(node['type']))) unknownPart(String(node['type']), placeOf(node))
    const { type: _, cte_map, ...parts } = node
    const scope = this.commonTables(cte_map, outer)
    if (node['type'] !== 'RECURSIVE_CTE_NODE') {
      this.parts(parts, scope)
      return
    }
    const own = this.named(String(node['cte_name']), scope, null)
    const { left, right, ...others } = parts
    this.visit(left, scope)
    this.visit(right, own)
    this.parts(others, scope)
  }

  /** The scope with the common table expressions of a query, each of which sees those before it. */
  private commonTables(map: unknown, outer: Scope): Scope {
    let scope = outer
    const entries = asNode(map)['map']
    if (!Array.isArray(entries)) unknownPart('WITH', null)
    for (const entry of entries.map(asNode)) {
      const { query, ...others } = asNode(entry['value'])
      const { node, named_param_map, ...rest } = asNode(query)
      if (Object.keys(rest).length > 0 || (named_param_map as unknown[] | undefined)?.length) unknownPart('WITH', null)
      this.query(asNode(node), scope)
      this.parts(others, scope)
      scope = this.named(String(entry['key']), scope, placeOf(asNode(node)))
    }
    return scope
  }

  private named(name: string, scope: Scope, position: number | null): Scope {
    if (!plainName.test(name))
      refuse(`not a name for a common table expression: ${name}`, position, 'use letters, digits and _')
    if (this.taken.has(name.toLowerCase())) refuse(`a name that is taken: ${name}`, position, 'choose another one')
    return new Set([...scope, name.toLowerCase()])
  }

  private parts(node: Node, scope: Scope): void {
    for (const value of Object.values(node)) this.visit(value, scope)
  }

  private visit(value: unknown, scope: Scope): void {
    if (typeof value !== 'object' || value === null) return
    if (++this.depth > treeDepthMax) refuse('nested too deeply', null)
    if (Array.isArray(value)) for (const item of value) this.visit(item, scope)
    else this.node(value as Node, scope)
    this.depth--
  }

  private node(node: Node, scope: Scope): void {
    const { class: kind, type } = node
    if (typeof kind === 'string') this.expression(kind, node, scope)
    else if (typeof type !== 'string') this.parts(node, scope)
    else if (queryNodes.has(type)) this.query(node, scope)
    else if (type === 'BASE_TABLE') this.table(node, scope)
    else if (type === 'TABLE_FUNCTION') this.tableFunction(node, scope)
    else if (type === 'SHOW_REF') this.description(node, scope)
    else if (relations.has(type) || modifiers.has(type) || orders.has(type)) this.parts(node, scope)
    else unknownPart(type, placeOf(node))
  }

  private expression(kind: string, node: Node, scope: Scope): void {
    if (kind === 'CONSTANT') return
    if (kind === 'CAST') {
      castType(node['cast_type'], placeOf(node))
      this.visit(node['child'], scope)
      return
    }
    if (kind === 'FUNCTION' || kind === 'WINDOW') this.call(node, functionNames)
    else if (kind === 'PARAMETER') refuse('a parameter without a value', placeOf(node), 'write the value itself')
    else if (!expressions.has(kind)) unknownPart(kind, placeOf(node))
    this.parts(node, scope)
  }

  private call(node: Node, allowed: ReadonlySet<string>): void {
    const name = String(node['function_name']).toLowerCase()
    const position = placeOf(node)
    if (node['catalog'] !== '' || !['', 'main'].includes(String(node['schema'])) || !allowed.has(name)) {
      const choices = [...allowed].filter(choice => /^[a-z]/.test(choice))
      throw new Refused({ message: `not a function that queries may call: ${name}`, position, name, choices })
    }
    if (aggregating.has(name)) this.aggregateByName(node)
  }

  /** `list_aggregate(list, 'sum')`: the name is an argument. */
  private aggregateByName(node: Node): void {
    const second = asNode((node['children'] as unknown[] | undefined)?.[1] ?? {})
    const name = second['class'] === 'CONSTANT' ? asNode(second['value'])['value'] : null
    if (typeof name === 'string' && aggregateNames.has(name.toLowerCase())) return
    refuse(`the second argument of ${String(node['function_name'])} must name an aggregate function`, placeOf(node))
  }

  private table(node: Node, scope: Scope): void {
    const name = String(node['table_name'])
    const position = placeOf(node)
    const isPlain = node['schema_name'] === '' && node['catalog_name'] === '' && (node['at_clause'] ?? null) === null
    const known = scope.has(name.toLowerCase()) || viewNames.includes(name.toLowerCase())
    if (!isPlain || !known) {
      const written = [node['catalog_name'], node['schema_name'], name].filter(part => part !== '').join('.')
      throw new Refused({ message: `no such view: ${written}`, position, name, choices: [...viewNames, ...scope] })
    }
    this.parts({ sample: node['sample'] }, scope)
  }

  private tableFunction(node: Node, scope: Scope): void {
    const call = asNode(node['function'])
    if (call['class'] !== 'FUNCTION') unknownPart('table function', placeOf(node))
    const name = String(call['function_name']).toLowerCase()
    if (!tableFunctionNames.has(name)) {
      const hint = `views: ${viewNames.join(', ')}; table functions: ${[...tableFunctionNames].join(', ')}`
      refuse(`not a table function that queries may call: ${name}`, placeOf(node), hint)
    }
    this.call(call, tableFunctionNames)
    const { function: _, ...others } = node
    this.parts(call, scope)
    this.parts(others, scope)
  }

  /** DESCRIBE and SUMMARIZE of a query; SHOW would list the catalogue. */
  private description(node: Node, scope: Scope): void {
    const isOfQuery = node['query'] !== null && node['query'] !== undefined && node['table_name'] === ''
    if (!isOfQuery || !['DESCRIBE', 'SUMMARY'].includes(String(node['show_type']))) {
      refuse('not allowed in a query: SHOW', placeOf(node), `views: ${viewNames.join(', ')}`)
    }
    this.parts({ query: node['query'], sample: node['sample'] }, scope)
  }
}

/** A type holds no calls: DuckDB lets some types have expressions for arguments, of which constants are enough. */
function castType(type: unknown, position: number | null): void {
  if (typeof type !== 'object' || type === null) return
  const { class: kind, catalog, schema } = type as Node
  if (kind !== undefined && kind !== 'CONSTANT' && kind !== 'TYPE') unknownPart('an expression as a type', position)
  if (![catalog, schema].every(name => name === undefined || name === '')) unknownPart('the type of a schema', position)
  if (kind === 'CONSTANT') return
  for (const value of Object.values(type)) castType(value, position)
}

function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {}
}

function placeOf(node: Node): number | null {
  const place = node['query_location']
  return typeof place === 'number' && Number.isSafeInteger(place) ? place : null
}
