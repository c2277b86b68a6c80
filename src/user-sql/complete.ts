import { functionNames, tableFunctionNames } from './allowed.ts'
import { piecesOf } from './statements.ts'

const keywords = [
  ...[
    'SELECT',
    'FROM',
    'WHERE',
    'GROUP BY',
    'HAVING',
    'ORDER BY',
    'LIMIT',
    'OFFSET',
    'DISTINCT',
    'WITH',
    'AS',
    'AND',
    'OR',
  ],
  ...['NOT', 'IN', 'IS NULL', 'IS NOT NULL', 'BETWEEN', 'LIKE', 'ILIKE', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'JOIN'],
  ...[
    'LEFT JOIN',
    'INNER JOIN',
    'CROSS JOIN',
    'ON',
    'USING',
    'UNION ALL',
    'EXCEPT',
    'INTERSECT',
    'OVER',
    'PARTITION BY',
  ],
  ...[
    'QUALIFY',
    'FILTER',
    'CAST',
    'INTERVAL',
    'TIMESTAMP',
    'DATE',
    'DESC',
    'ASC',
    'NULLS LAST',
    'EXISTS',
    'VALUES',
    'DESCRIBE',
  ],
  ...['SUMMARIZE', 'RECURSIVE', 'EXCLUDE', 'REPLACE', 'ALL', 'TRUE', 'FALSE', 'NULL'],
]

/** Commands of the prompt itself. */
export const promptCommands = ['.tables', '.schema', '.functions', '.help', '.quit'] as const

/** Names that `end` and the like need quotes for. */
const reserved = new Set(['end'])

/**
 * What could come at the end of a text.
 *
 * @param columns those of each view.
 * @returns candidates, and the beginning that they go on from.
 */
export function completeSql(text: string, columns: Readonly<Record<string, readonly string[]>>): [string[], string] {
  const names = Object.keys(columns)
  const command = /^\s*(\.\w*|\\\w*)$/.exec(text)?.[1]
  if (command !== undefined) return [starting(promptCommands, command), command]
  const described = /^\s*(?:\.schema|\\d)\s+(\w*)$/.exec(text)?.[1]
  if (described !== undefined) return [starting(names, described), described]
  const pieces = piecesOf(text).filter(({ kind }) => kind !== 'space' && kind !== 'comment')
  const last = pieces.at(-1)
  if (last?.open) return [[], '']
  const isTyping = last?.kind === 'word' && text.endsWith(last.text)
  const typed = isTyping ? last.text : ''
  const before = isTyping ? pieces.slice(0, -1) : pieces
  const words = before.filter(({ kind }) => kind === 'word').map(piece => piece.text.toLowerCase())
  if (isPlaceOfView(before.map(piece => piece.text.toLowerCase()))) {
    return [starting([...names, ...[...tableFunctionNames].map(name => `${name}(`)], typed), typed]
  }
  const mentioned = names.filter(name => words.includes(name))
  const own = [...new Set((mentioned.length > 0 ? mentioned : names).flatMap(name => columns[name] ?? []))]
  if (before.at(-1)?.text === '.') return [starting(own, typed).map(quotedIfReserved), typed]
  if (typed === '') return [mentioned.length > 0 ? own.map(quotedIfReserved) : [], '']
  const functions = [...functionNames].filter(name => /^[a-z]/.test(name)).map(name => `${name}(`)
  const isUpper = typed !== typed.toLowerCase()
  const upper = isUpper ? keywords : keywords.map(word => word.toLowerCase())
  return [
    [...starting(own, typed).map(quotedIfReserved), ...starting(upper, typed), ...starting(functions, typed)],
    typed,
  ]
}

/** After FROM or JOIN, and after a comma in that list. */
function isPlaceOfView(before: readonly string[]): boolean {
  const at = Math.max(before.lastIndexOf('from'), before.lastIndexOf('join'), before.lastIndexOf('describe'))
  if (at < 0) return false
  const after = before.slice(at + 1)
  return (
    after.length === 0 || (after.at(-1) === ',' && after.every(word => /^[\w,]+$/.test(word) && !clauses.has(word)))
  )
}

const clauses = new Set(['where', 'group', 'order', 'having', 'on', 'using', 'limit', 'select', 'window', 'qualify'])

function starting(candidates: readonly string[], typed: string): string[] {
  return candidates.filter(candidate => candidate.toLowerCase().startsWith(typed.toLowerCase()))
}

function quotedIfReserved(name: string): string {
  return reserved.has(name) ? `"${name}"` : name
}
