/** Text to tokens. A tokenizer of our own: all words are alike but for the reserved ones, and an `@include` puts tokens in. */
import type { IToken, TokenType } from 'chevrotain'
import { FilterError, type Place, type Source } from './error.ts'
import { createToken, Lexer } from './library.ts'

const kind = (name: string, label: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, pattern: Lexer.NA, categories })

/** Whatever can be a value after a comparator. */
export const Value = kind('Value', 'a value')
/** Whatever can be a value without one, as in `port 80`. */
export const Plain = kind('Plain', 'a value', [Value])
export const Word = kind('Word', 'a name', [Plain])
export const Quoted = kind('Quoted', '"text"', [Plain])

export const LParen = kind('LParen', '(')
export const RParen = kind('RParen', ')')
export const LBracket = kind('LBracket', '[')
export const RBracket = kind('RBracket', ']')
export const Comma = kind('Comma', ',')
export const Comparator = kind('Comparator', 'a comparator')
export const AtFile = kind('AtFile', '@FILE')

export const And = kind('And', 'and')
export const Or = kind('Or', 'or')
export const Not = kind('Not', 'not')
export const In = kind('In', 'in')
export const Is = kind('Is', 'is')
export const Src = kind('Src', 'src')
export const Dst = kind('Dst', 'dst')
export const Out = kind('Out', 'out')
export const Prev = kind('Prev', 'prev')
export const Next = kind('Next', 'next')
export const Router = kind('Router', 'router')
export const BgpNext = kind('BgpNext', 'bgpnext')

// These may be values where one is expected: `account_id = unknown` is AWS's own word.
const soft = (name: string, label: string): TokenType => kind(name, label, [Value])
export const Any = soft('Any', 'any')
export const All = soft('All', 'all')
export const None = soft('None', 'none')
export const Only = soft('Only', 'only')
export const Known = soft('Known', 'known')
export const Unknown = soft('Unknown', 'unknown')
export const Contains = soft('Contains', 'contains')
export const Begins = soft('Begins', 'begins')
export const Ends = soft('Ends', 'ends')
export const Between = soft('Between', 'between')
export const First = soft('First', 'first')
export const Last = soft('Last', 'last')
export const Seen = soft('Seen', 'seen')
export const Of = soft('Of', 'of')
export const Case = soft('Case', 'case')
export const File = soft('File', 'file')

const reserved = [And, Or, Not, In, Is, Src, Dst, Out, Prev, Next, Router, BgpNext]
const softOnes = [
  Any,
  All,
  None,
  Only,
  Known,
  Unknown,
  Contains,
  Begins,
  Ends,
  Between,
  First,
  Last,
  Seen,
  Of,
  Case,
  File,
]
const signs = [LParen, RParen, LBracket, RBracket, Comma, Comparator, AtFile]

export const vocabulary = [Value, Plain, Word, Quoted, ...signs, ...reserved, ...softOnes]

const byWord = new Map([...reserved, ...softOnes].map(type => [type.LABEL!, type]))
byWord.set('previous', Prev)
for (const word of ['eq', 'ne', 'lt', 'le', 'gt', 'ge']) byWord.set(word, Comparator)
const bySign = new Map<string, TokenType>([
  ...[LParen, RParen, LBracket, RBracket, Comma].map(type => [type.LABEL!, type] as const),
  ...['=', '==', '!=', '<>', '<', '<=', '>', '>='].map(sign => [sign, Comparator] as const),
  ['&&', And],
  ['||', Or],
  ['!', Not],
])

/** Words that mean something by themselves, for the hint at a wrong one. */
export const reservedWords: readonly string[] = [...byWord.keys()]

/** A token, and the text that it is in. */
export interface Token extends IToken {
  source: Source
  /** The word in lower case, or the text within quotes. */
  value: string
}

// In order: blanks and comments; $parameter; @include and its file; @FILE; quoted text; words; signs.
const piece =
  /(?<skip>\s+|#[^\n]*)|\$(?<param>[a-z_]\w*)|@include[ \t]+(?<include>"[^"\n]*"|[^\s()[\],]+)|@(?<file>"[^"\n]*"|[^\s()[\],"]+)|(?<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<word>[\p{L}\p{N}_:.][\p{L}\p{M}\p{N}_:.\-/+%*@$~]*)|(?<sign>&&|\|\||==|!=|<>|<=|>=|[=<>!()[\],])/giuy

export type Include = (path: string, place: Place, depth: number) => Token[]

/** Values of parameters by name: texts, or files of values. */
export type Params = Readonly<Record<string, string | { file: string }>>

/**
 * The tokens of a source.
 *
 * @param include gives the tokens of a file that is to be put in.
 */
export function tokensOf(source: Source, include: Include, depth = 0, params: Params = {}): Token[] {
  const tokens: Token[] = []
  const { text } = source
  let offset = 0
  while (offset < text.length) {
    piece.lastIndex = offset
    const match = piece.exec(text)
    if (match === null) throw badCharacter(source, offset)
    const groups = match.groups as Record<string, string | undefined>
    const [image] = match
    if (groups['include'] !== undefined) {
      const included = include(unquoted(groups['include']), { source, offset, length: image.length }, depth + 1)
      for (const token of included) tokens.push(token)
    } else if (groups['skip'] === undefined) {
      tokens.push(tokenOf(source, offset, image, groups, params))
    }
    offset += image.length
  }
  return tokens
}

function tokenOf(
  source: Source,
  offset: number,
  image: string,
  groups: Record<string, string | undefined>,
  params: Params,
): Token {
  const { file, quoted, word, sign, param } = groups
  // One value, like a text in quotes: whatever is in it, it can be nothing else, and its type is that of its place.
  if (param !== undefined) {
    const value = parameter(param, params, source, offset)
    if (typeof value === 'object') return token(AtFile, source, offset, image, value.file)
    return token(Quoted, source, offset, image, value)
  }
  if (file !== undefined) return token(AtFile, source, offset, image, unquoted(file))
  if (quoted !== undefined) return token(Quoted, source, offset, image, unescaped(quoted.slice(1, -1)))
  if (sign !== undefined) return token(bySign.get(sign)!, source, offset, image, sign)
  const value = word!.toLowerCase()
  return token(byWord.get(value) ?? Word, source, offset, image, value)
}

function token(type: TokenType, source: Source, offset: number, image: string, value: string): Token {
  const at = { startOffset: offset, endOffset: offset + image.length - 1 }
  return { ...at, image, tokenType: type, tokenTypeIdx: type.tokenTypeIdx!, source, value }
}

/** A token that is not in the text: the bracket around an included filter. */
export function bracket(type: TokenType, place: Place): Token {
  return token(type, place.source, place.offset, place.source.text.slice(place.offset, place.offset + place.length), '')
}

export function placeOf(first: Token, last: Token = first): Place {
  const end = last.source === first.source ? last.endOffset! : first.endOffset!
  return { source: first.source, offset: first.startOffset, length: end + 1 - first.startOffset }
}

/** The text of a word as it was written, or what is within the quotes. */
export function textOf(token: Token): string {
  return token.tokenType === Quoted ? token.value : token.image
}

/** Whether a token stands for a parameter. */
export function isParameter(token: Token): boolean {
  return token.image.startsWith('$')
}

function parameter(name: string, params: Params, source: Source, offset: number): Params[string] {
  if (Object.hasOwn(params, name)) return params[name]!
  const place = { source, offset, length: name.length + 1 }
  throw new FilterError(`missing parameter: $${name}`, place, { hint: `give it a value: ${name}=…` })
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1) : text
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gsu, '$1')
}

function badCharacter(source: Source, offset: number): FilterError {
  const character = String.fromCodePoint(source.text.codePointAt(offset)!)
  const place = { source, offset, length: character.length }
  if (character === '"' || character === "'") {
    return new FilterError('missing closing quote', { ...place, length: source.text.length - offset })
  }
  return new FilterError(`invalid character: ${character}`, place, {
    hint: 'text with other characters stands in "quotes"',
  })
}
