/** What rules of the analyst's own find: checked, for it is used like what the rules here find. */
import { errorText } from '../errors.ts'
import {
  count,
  countFrom,
  fit,
  listOf,
  nullOr,
  number,
  objectOf,
  oneOf,
  type Shape,
  textThat,
  yesOrNo,
} from '../shape.ts'
import type { CaseEvidence } from './evidence.ts'
import { severities } from './finding.ts'
import { type CaseDraft, distinct, type OwnRule, tactics } from './rule.ts'

/** Why a rule of the analyst's own failed. */
export interface FailedRule {
  rule: string
  path: string
  /** What is wrong, in a line. */
  problem: string
}

/** That a rule of the analyst's own could not be run to its end, or returned what is no finding: what it found is not used. */
export class RuleFailure extends Error {
  readonly rule: string
  readonly path: string
  /** What is wrong, in a line. */
  readonly problem: string

  constructor({ name, path }: OwnRule, problem: string, cause?: unknown) {
    super(`${path}: ${name}: ${problem}`, { cause })
    this.rule = name
    this.path = path
    this.problem = problem
  }
}

/** The rule with its functions checked: they throw a RuleFailure where they fail, or return what they must not. */
export function guarded(rule: OwnRule): OwnRule {
  const checked = <T>(shape: Shape<T>, what: string, call: () => unknown): T => {
    let fitting: ReturnType<typeof fit<T>>
    try {
      // Getters of what it returned are code of the rule as well.
      fitting = fit(shape, call())
    } catch (error) {
      throw new RuleFailure(rule, failureText(error), error)
    }
    if (fitting.fault !== null) throw new RuleFailure(rule, `what ${what} returned does not fit: ${fitting.fault}`)
    return fitting.value as T
  }
  const { selects, limitsOf } = rule
  return {
    ...rule,
    find: (evidence, thresholds) => checked(draftsFor(evidence), 'find', () => rule.find(evidence, thresholds)),
    ...(selects !== undefined && {
      selects: (...given) => checked(yesOrNo, 'selects', () => rule.selects?.(...given)),
    }),
    ...(limitsOf !== undefined && {
      limitsOf: (...given) => checked(few(text), 'limitsOf', () => rule.limitsOf?.(...given)),
    }),
  }
}

/** What was thrown, in a line, with the place in the file. */
function failureText(error: unknown): string {
  const text = errorText(error).split('\n', 1)[0]!
  const kind = error instanceof Error ? `${error.name}: ` : ''
  const place =
    error instanceof Error ? /\(?(?:file:\/\/)?([^()\s]+:\d+:\d+)\)?$/m.exec(error.stack ?? '')?.[1] : undefined
  return `${kind}${text}${place === undefined ? '' : ` at ${place}`}`
}

const textMax = 2000
const listMax = 20
const text = textThat(value => value.length > 0 && value.length <= textMax, `no text of 1 to ${textMax} characters`)

/** A few of them. */
function few<T>(shape: Shape<T>): Shape<T[]> {
  const all = listOf(shape)
  const size = countFrom(0, listMax)
  return value => {
    if (Array.isArray(value)) size(value.length)
    return all(value)
  }
}

/** Numbers below a count, in order, each once; at least one. */
function someOf(what: number, least: 0 | 1): Shape<number[]> {
  const all = listOf(what === 0 ? count : countFrom(0, what - 1))
  const size = countFrom(least, Math.max(least, what))
  return value => {
    const some = distinct(all(value))
    size(some.length)
    return some
  }
}

function draftsFor({ hosts, connections }: CaseEvidence): Shape<CaseDraft[]> {
  const draft = objectOf({
    title: text,
    severity: oneOf(...severities),
    confidence: oneOf('low', 'medium', 'high'),
    tactic: oneOf(...tactics),
    technique: nullOr(text),
    technique_name: nullOr(text),
    summary: text,
    scores: few(objectOf({ name: text, value: number, threshold: text })),
    would_change: text,
    counter_hypotheses: few(text),
    subject: someOf(hosts, 1),
    peers: someOf(hosts, 0),
    connections: someOf(connections.count, 1),
  })
  return listOf(draft)
}
