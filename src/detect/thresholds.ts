/** Thresholds that the analyst set in place of those of the rules: `D01.targetsMin=20`. */
import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { CaseRule, Thresholds } from '../rules/rule.ts'

/** A threshold that was set. */
export interface SetThreshold {
  rule: string
  threshold: string
  value: number | readonly number[]
  default: number | readonly number[]
}

/**
 * Rules of a name, or all of a number: `D01`. Case does not matter.
 *
 * @param where what stands between the words and the name in the message.
 * @throws UserError (status 2) where there is none.
 */
export function rulesNamed(word: string, rules: readonly CaseRule[], where = ''): CaseRule[] {
  const name = word.toLowerCase()
  const some = rules.filter(rule => [rule.name, numberOf(rule)].some(one => one.toLowerCase() === name))
  if (some.length > 0) return some
  const names = rules.map(rule => rule.name)
  const near = nearest(word, [...new Set(rules.map(numberOf)), ...names])
  const hint = near === null ? `there are ${names.join(', ')}` : `did you mean ${near}? --list-rules has them all`
  throw refused(`no such rule${where}: ${word}`, hint)
}

/** `D01` of `D01-scan`. */
function numberOf({ name }: CaseRule): string {
  return name.split('-')[0]!
}

/**
 * The rules with these thresholds in force.
 *
 * @param texts `RULE.THRESHOLD=VALUE`: a rule's name, or a number for all of that number that have the threshold. A later one outweighs
 * an earlier one.
 * @throws UserError (status 2) for what is no such rule or threshold, and for values that do not fit.
 */
export function withThresholds(
  texts: readonly string[],
  rules: readonly CaseRule[],
): { rules: CaseRule[]; set: SetThreshold[] } {
  const values = new Map<string, Record<string, number | readonly number[]>>()
  for (const text of texts) {
    const { asked, word, value } = partsOf(text)
    const some = rulesNamed(asked, rules, ' in --set')
    const having = some.filter(rule => thresholdOf(word, rule) !== null)
    if (having.length === 0) throw unknownThreshold(word, some)
    for (const rule of having) {
      const name = thresholdOf(word, rule)!
      values.set(rule.name, {
        ...values.get(rule.name),
        [name]: valueIn(`${rule.name}.${name}`, value, rule.thresholds[name]!),
      })
    }
  }
  return {
    rules: rules.map(rule => {
      const own = values.get(rule.name)
      return own === undefined ? rule : { ...rule, thresholds: { ...rule.thresholds, ...own } as Thresholds }
    }),
    set: rules.flatMap(rule =>
      Object.entries(values.get(rule.name) ?? {}).map(([threshold, value]) => ({
        ...{ rule: rule.name, threshold, value, default: rule.thresholds[threshold]! },
      })),
    ),
  }
}

function partsOf(text: string): { asked: string; word: string; value: string } {
  const [, asked, word, value] = /^([^.=]+)\.([^.=]+)=(.*)$/s.exec(text) ?? []
  if (asked === undefined)
    throw refused(`no threshold and its value in --set: ${text}`, 'write RULE.THRESHOLD=VALUE, like D01.targetsMin=20')
  return { asked: asked.trim(), word: word!.trim(), value: value!.trim() }
}

/** The name of a threshold as the rule has it, of `targetsMin` or `targets-min`. */
function thresholdOf(word: string, { thresholds }: CaseRule): string | null {
  const plain = (name: string): string => name.replaceAll('-', '').toLowerCase()
  return Object.keys(thresholds).find(name => plain(name) === plain(word)) ?? null
}

function valueIn(what: string, value: string, standard: number | readonly number[]): number | readonly number[] {
  if (typeof standard === 'number') {
    const one = numberIn(value)
    if (one === null)
      throw refused(`not a number from 0 in --set ${what}: ${value}`, `write one number; the default is ${standard}`)
    return one
  }
  const list = value === '' ? [] : value.split(',').map(part => numberIn(part.trim()))
  if (list.includes(null))
    throw refused(
      `not a list of numbers from 0 in --set ${what}: ${value}`,
      `write numbers with commas between them, or nothing for an empty list; the default is ${standard.join(',')}`,
    )
  return list as number[]
}

function numberIn(text: string): number | null {
  const value = /^\d+(\.\d+)?(e\d{1,3})?$/i.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : null
}

function unknownThreshold(word: string, rules: readonly CaseRule[]): UserError {
  const names = [...new Set(rules.flatMap(({ thresholds }) => Object.keys(thresholds)))]
  const near = nearest(word, names)
  const all = names.length === 0 ? 'it has none' : `there are ${names.join(', ')}`
  const of = rules.map(({ name }) => name).join(' and ')
  return refused(`no such threshold of ${of}: ${word}`, near === null ? all : `did you mean ${near}?`)
}

function refused(message: string, hint: string): UserError {
  return new UserError(message, { status: 2, hint })
}
