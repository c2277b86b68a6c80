/** The grammar: tokens to a tree of what was written. What the words mean is `build.ts`'s affair. */
import type { TokenType } from 'chevrotain'
import { nearest } from '../nearest.ts'
import { FilterError, type Place, type Source, shortened } from './error.ts'
import { EmbeddedActionsParser, EOF } from './library.ts'
import { things } from './things.ts'
import type { Token } from './tokens.ts'
import * as t from './tokens.ts'

export type Written =
  | { kind: 'any' }
  | { kind: 'and' | 'or'; parts: Written[] }
  | { kind: 'not'; at: Token; part: Written }
  | { kind: 'between'; at: Token; from: Token; to: Token }
  | { kind: 'edge'; edge: 'first' | 'last'; length: Token }
  | { kind: 'test'; sides: Token[]; name: Token[]; form: Form }

/** What follows the name of a thing. */
export type Form =
  | { op: 'compare'; comparator: Token | null; mode: Token | null; value: Token; mask: Token | null }
  | { op: 'in'; at: Token; not: Token | null; values: Token[]; file: Token | null }
  | { op: 'is'; not: Token | null; word: Token }
  | { op: 'text'; how: Token; text: Token }
  | { op: 'nothing' }

/** Brackets and `not` within one another; DuckDB refuses expressions deeper than 1,000. */
const deepest = 200

const bareNames = new Set(things.filter(thing => thing.kind === 'holds').flatMap(thing => thing.names))
const sideTokens: readonly TokenType[] = [t.Src, t.Dst, t.In, t.Out, t.Prev, t.Next, t.Router, t.BgpNext]

class Grammar extends EmbeddedActionsParser {
  constructor(skipValidations: boolean) {
    super(t.vocabulary, { maxLookahead: 1, recoveryEnabled: false, skipValidations })
    this.performSelfAnalysis()
  }

  readonly filter = this.RULE('filter', (): Written => {
    let written: Written = { kind: 'any' }
    this.OPTION(() => {
      written = this.SUBRULE(this.expression)
    })
    return written
  })

  private readonly expression = this.RULE('expression', (): Written => {
    const parts: Written[] = [this.SUBRULE(this.conjunction)]
    this.MANY(() => {
      this.CONSUME(t.Or)
      parts.push(this.SUBRULE2(this.conjunction))
    })
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  })

  private readonly conjunction = this.RULE('conjunction', (): Written => {
    const parts: Written[] = [this.SUBRULE(this.negation)]
    this.MANY(() => {
      this.CONSUME(t.And)
      parts.push(this.SUBRULE2(this.negation))
    })
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  })

  private readonly negation = this.RULE(
    'negation',
    (): Written =>
      this.OR<Written>([
        {
          ALT: () => {
            const at = this.CONSUME(t.Not) as Token
            return { kind: 'not', at, part: this.SUBRULE(this.negation) }
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.LParen)
            const written = this.SUBRULE(this.expression)
            this.CONSUME(t.RParen)
            return written
          },
        },
        { ALT: () => this.SUBRULE(this.term) },
      ]),
  )

  private readonly term = this.RULE(
    'term',
    (): Written =>
      this.OR<Written>([
        {
          ALT: () => {
            this.CONSUME(t.Any)
            return { kind: 'any' }
          },
        },
        {
          ALT: () => {
            const at = this.CONSUME(t.Between) as Token
            const from = this.CONSUME(t.Value) as Token
            this.CONSUME(t.And)
            return { kind: 'between', at, from, to: this.CONSUME2(t.Value) as Token }
          },
        },
        {
          ALT: () => {
            const first = this.CONSUME(t.First) as Token
            return this.SUBRULE(this.edge, { ARGS: [first] })
          },
        },
        {
          ALT: () => {
            const last = this.CONSUME(t.Last) as Token
            return this.SUBRULE2(this.edge, { ARGS: [last] })
          },
        },
        { ALT: () => this.SUBRULE(this.test) },
      ]),
  )

  /** After `first` or `last`: the time of a packet, or a piece of the case. */
  private readonly edge = this.RULE(
    'edge',
    (at: Token): Written =>
      this.OR<Written>([
        {
          ALT: () => {
            const name = [at, this.CONSUME(t.Seen) as Token]
            return { kind: 'test', sides: [], name, form: this.SUBRULE(this.form, { ARGS: [null] }) }
          },
        },
        {
          ALT: () => {
            const length = this.CONSUME(t.Plain) as Token
            this.CONSUME(t.Of)
            this.CONSUME(t.Case)
            return { kind: 'edge', edge: this.ACTION(() => at.value) as 'first' | 'last', length }
          },
        },
      ]),
  )

  private readonly test = this.RULE('test', (): Written => {
    const sides = this.SUBRULE(this.sides)
    const name = this.CONSUME(t.Word) as Token
    return { kind: 'test', sides, name: [name], form: this.SUBRULE(this.form, { ARGS: [name] }) }
  })

  private readonly sides = this.RULE('sides', (): Token[] => {
    const words: Token[] = []
    const take = (token: unknown): void => void words.push(token as Token)
    this.OPTION(() =>
      this.OR([
        {
          ALT: () => {
            take(this.CONSUME(t.Src))
            this.OPTION1(() => {
              this.OR1([{ ALT: () => take(this.CONSUME1(t.Or)) }, { ALT: () => take(this.CONSUME1(t.And)) }])
              take(this.CONSUME1(t.Dst))
            })
          },
        },
        {
          ALT: () => {
            take(this.CONSUME2(t.Dst))
            this.OPTION2(() => {
              this.OR2([{ ALT: () => take(this.CONSUME2(t.Or)) }, { ALT: () => take(this.CONSUME2(t.And)) }])
              take(this.CONSUME2(t.Src))
            })
          },
        },
        ...[t.In, t.Out, t.Prev, t.Next, t.Router, t.BgpNext].map(type => ({ ALT: () => take(this.CONSUME(type)) })),
      ]),
    )
    return words
  })

  /** @param name the thing's, if it is one word. */
  private readonly form = this.RULE('form', (name: Token | null): Form => {
    const bare = this.ACTION(() => name !== null && bareNames.has(name.value))
    const isNet = this.ACTION(() => name !== null && name.value === 'net')
    let form: Form = { op: 'nothing' }
    this.OPTION({
      GATE: () => !bare,
      DEF: () => {
        form = this.OR<Form>([
          { ALT: () => this.SUBRULE(this.comparison) },
          {
            ALT: () => {
              const value = this.CONSUME(t.Plain) as Token
              let mask: Token | null = null
              this.OPTION1({
                GATE: () => isNet,
                DEF: () => {
                  mask = this.CONSUME2(t.Plain) as Token
                },
              })
              return { op: 'compare', comparator: null, mode: null, value, mask }
            },
          },
          {
            ALT: () => {
              const not = this.CONSUME(t.Not) as Token
              return this.SUBRULE1(this.membership, { ARGS: [not] })
            },
          },
          { ALT: () => this.SUBRULE2(this.membership, { ARGS: [null] }) },
          {
            ALT: () => {
              this.CONSUME(t.Is)
              let not: Token | null = null
              this.OPTION2(() => {
                not = this.CONSUME2(t.Not) as Token
              })
              const word = this.OR1([{ ALT: () => this.CONSUME(t.Known) }, { ALT: () => this.CONSUME(t.Unknown) }])
              return { op: 'is', not, word: word as Token }
            },
          },
        ])
      },
    })
    return form
  })

  private readonly comparison = this.RULE(
    'comparison',
    (): Form =>
      this.OR<Form>([
        {
          ALT: () => {
            const comparator = this.CONSUME(t.Comparator) as Token
            return { op: 'compare', comparator, mode: null, value: this.CONSUME(t.Value) as Token, mask: null }
          },
        },
        {
          ALT: () => {
            const mode = this.OR1([t.Any, t.All, t.None, t.Only].map(type => ({ ALT: () => this.CONSUME(type) })))
            return {
              op: 'compare',
              comparator: null,
              mode: mode as Token,
              value: this.CONSUME1(t.Value) as Token,
              mask: null,
            }
          },
        },
        {
          ALT: () => {
            const how = this.OR2([t.Contains, t.Begins, t.Ends].map(type => ({ ALT: () => this.CONSUME(type) })))
            return { op: 'text', how: how as Token, text: this.CONSUME2(t.Value) as Token }
          },
        },
      ]),
  )

  private readonly membership = this.RULE('membership', (not: Token | null): Form => {
    const at = this.CONSUME(t.In) as Token
    const values: Token[] = []
    let file: Token | null = null
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.LBracket)
          this.MANY(() => {
            this.OPTION(() => this.CONSUME(t.Comma))
            values.push(this.CONSUME(t.Value) as Token)
          })
          this.CONSUME(t.RBracket)
        },
      },
      {
        ALT: () => {
          file = this.CONSUME(t.AtFile) as Token
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.File)
          file = this.CONSUME(t.Quoted) as Token
        },
      },
    ])
    return { op: 'in', at, not, values, file }
  })
}

let grammar: Grammar | undefined

/** @throws Error where the rules are ambiguous or refer to none: a third of the start of the parser, so the tests ask it once. */
export function validateGrammar(): void {
  new Grammar(false)
}

/**
 * @param check throws if a word is the name of nothing: that is then the fault, not what follows it.
 * @throws FilterError where the tokens are no filter.
 */
export function written(tokens: Token[], source: Source, check: (name: Token) => void): Written {
  const tooDeep = deepToken(tokens)
  if (tooDeep !== null) throw new FilterError(`exceeds ${deepest} brackets within one another`, t.placeOf(tooDeep))
  grammar ??= new Grammar(true)
  grammar.input = tokens
  const result = grammar.filter()
  const [error] = grammar.errors
  if (error === undefined) return result
  const at = error.token.tokenType === EOF ? tokens.length : tokens.indexOf(error.token as Token)
  const { term } = lastTerm(tokens.slice(0, at))
  const name = term.find(token => token.tokenType === t.Word)
  const named = ![t.Between, t.First, t.Last].includes(term[0]?.tokenType as TokenType)
  if (name !== undefined && named) check(name)
  throw syntaxError(tokens, at, source)
}

function deepToken(tokens: readonly Token[]): Token | null {
  let depth = 0
  let nots = 0
  for (const token of tokens) {
    if (token.tokenType === t.LParen) depth++
    else if (token.tokenType === t.RParen) depth--
    nots = token.tokenType === t.Not ? nots + 1 : 0
    if (depth + nots > deepest) return token
  }
  return null
}

function syntaxError(tokens: readonly Token[], at: number, source: Source): FilterError {
  const token = tokens[at]
  const types = expectedAfter(tokens.slice(0, at))
  const expected = labelsOf(types)
  if (token === undefined) {
    const last = tokens.at(-1)
    const place: Place =
      last === undefined
        ? { source, offset: 0, length: 0 }
        : { ...t.placeOf(last), offset: last.endOffset! + 1, length: 0 }
    return new FilterError('incomplete filter', place, { expected })
  }
  const words = [...expected.filter(word => /^[a-z]+$/.test(word)), ...(types.includes(t.Word) ? firstWords : [])]
  const suggestion = token.tokenType === t.Word ? nearest(token.image, words) : null
  return new FilterError(`unexpected: ${shortened(token.image)}`, t.placeOf(token), { expected, suggestion })
}

const firstWords = things.flatMap(thing => thing.names).filter(name => !name.includes(' '))

function labelsOf(types: readonly TokenType[]): string[] {
  const begins = types.includes(t.Word) && types.includes(t.Between)
  if (begins) return ['a test such as "dst port 22"', t.Not.LABEL!, t.LParen.LABEL!]
  const labels = types.filter(type => type !== t.Comma).map(type => (type === t.Plain ? t.Value.LABEL! : type.LABEL!))
  return [...new Set(labels)]
}

/** The kinds of token that can follow, in the grammar's order; `EOF` where the filter can end. */
export function expectedAfter(tokens: readonly Token[]): TokenType[] {
  grammar ??= new Grammar(true)
  const { term, depth } = lastTerm(tokens)
  const types = grammar.computeContentAssist('filter', term).map(({ nextTokenType }) => nextTokenType)
  const name = term.findIndex(token => token.tokenType === t.Word)
  // What the gates of the grammar refuse.
  const bare = name >= 0 && name === term.length - 1 && bareNames.has(term[name]!.value)
  const masked = name >= 0 && name === term.length - 2 && term[name]!.value !== 'net'
  const kept = types.filter(type => (bare ? type === t.And || type === t.Or : !(masked && type === t.Plain)))
  if (depth < 0) return []
  const closing = depth > 0 && kept.includes(t.Or) ? [t.RParen] : []
  return [...new Set([...kept, ...closing])]
}

/**
 * The tokens from the last connective on, for the library follows every path through all it is given. Of a long list only the ends, and how many
 * brackets are open.
 */
function lastTerm(tokens: readonly Token[]): { term: Token[]; depth: number } {
  let depth = 0
  let from = 0
  for (const [i, token] of tokens.entries()) {
    const type = token.tokenType
    if (type === t.LParen) depth++
    if (type === t.RParen) depth--
    if (type === t.LParen || ((type === t.And || type === t.Or || type === t.Not) && endsTerm(tokens, i))) from = i + 1
  }
  const term = tokens.slice(from).filter(token => token.tokenType !== t.RParen)
  const list = term.findIndex(token => token.tokenType === t.LBracket)
  const short = list >= 0 && term.length > list + 4 ? [...term.slice(0, list + 1), ...term.slice(-2)] : term
  return { term: short, depth }
}

/** Whether a connective is one: not that of `src or dst`, of `between … and …`, of `not in` or `is not`. */
function endsTerm(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1]?.tokenType
  const type = tokens[i]!.tokenType
  if (before === undefined) return true
  if (type === t.Not) return before === t.And || before === t.Or || before === t.Not || before === t.LParen
  if (sideTokens.includes(before)) return false
  return tokens[i - 2]?.tokenType !== t.Between
}
