/** SQL text cut into statements and words, as DuckDB's lexer does: for the prompt and for completion; never to judge a query. */

export interface Piece {
  kind: 'word' | 'quoted-name' | 'text' | 'comment' | 'space' | 'semicolon' | 'other'
  text: string
  from: number
  /** Whether its end is missing: a quote or comment that goes on. */
  open: boolean
}

const shapes: [kind: Piece['kind'], shape: RegExp][] = [
  ['space', /\s+/y],
  ['comment', /--[^\n]*/y],
  ['text', /(?:[eE])'(?:[^'\\]|''|\\[\s\S])*('|$)/y],
  ['text', /'(?:[^']|'')*('|$)/y],
  ['quoted-name', /"(?:[^"]|"")*("|$)/y],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['semicolon', /;/y],
  ['other', /\d[\w.]*|\$\d+|[\s\S]/uy],
]

/** Every character of the text is in one piece. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < text.length; ) {
    const piece = blockComment(text, at) ?? dollarQuote(text, at) ?? plainPiece(text, at)
    pieces.push(piece)
    at += piece.text.length
  }
  return pieces
}

function plainPiece(text: string, from: number): Piece {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = from
    const found = shape.exec(text)
    if (found === null || found[0] === '') continue
    const isQuoted = kind === 'text' || kind === 'quoted-name'
    return { kind, text: found[0], from, open: isQuoted && found[1] === '' }
  }
  return { kind: 'other', text: text[from]!, from, open: false }
}

/** Block comments nest. */
function blockComment(text: string, from: number): Piece | null {
  if (!text.startsWith('/*', from)) return null
  let depth = 0
  const marks = /\/\*|\*\//g
  marks.lastIndex = from
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return { kind: 'comment', text: text.slice(from, marks.lastIndex), from, open: false }
  }
  return { kind: 'comment', text: text.slice(from), from, open: true }
}

function dollarQuote(text: string, from: number): Piece | null {
  const shape = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy
  shape.lastIndex = from
  const mark = shape.exec(text)?.[0]
  if (mark === undefined) return null
  const end = text.indexOf(mark, from + mark.length)
  const whole = end < 0 ? text.slice(from) : text.slice(from, end + mark.length)
  return { kind: 'text', text: whole, from, open: end < 0 }
}

/** Statements that a `;` ended, without it, and what comes after the last one. Statements that are blank are left out. */
export function splitStatements(text: string): { statements: string[]; rest: string } {
  const statements: string[] = []
  let from = 0
  for (const piece of piecesOf(text)) {
    if (piece.kind !== 'semicolon') continue
    statements.push(text.slice(from, piece.from))
    from = piece.from + 1
  }
  return {
    statements: statements.map(statement => statement.trim()).filter(statement => !isBlank(statement)),
    rest: text.slice(from),
  }
}

/** Whether there is nothing but space and comments that have ended. */
export function isBlank(text: string): boolean {
  return piecesOf(text).every(({ kind, open }) => kind === 'space' || (kind === 'comment' && !open))
}
