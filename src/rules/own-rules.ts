/**
 * The analyst's own rules: files of a folder, each of which has a rule or a list of rules as its default export, or a function that makes
 * them of the tools here. They are code, and run with the rights of who runs Tidemark: the shape of a rule and what it returns is checked,
 * what else it does is not.
 */
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { errorCode, errorText, UserError } from '../errors.ts'
import { fit, listOf, number, objectOf, oneOf, type Shape, textThat } from '../shape.ts'
import { caseRules } from './all.ts'
import { needs } from './needs.ts'
import { guarded } from './own-findings.ts'
import type { CaseRule, OwnRule } from './rule.ts'
import { ruleTools } from './tools.ts'

export interface RuleFile {
  path: string
  rules: OwnRule[]
}

/**
 * Loads every `.js` and `.mjs` file of a folder, and `.ts` and `.mts` where this Node runs them, by name. Hidden files, declarations
 * (`.d.ts`) and folders in it are left alone: what rules share may stand there. Any thread may call it; a rule cannot be sent to another one,
 * for it is code.
 *
 * @throws UserError (status 2) that names the file: there is none, one does not load or holds no rule, or two rules have the same name.
 */
export async function loadRules(dir: string): Promise<RuleFile[]> {
  const names = await namesIn(dir)
  if (names.length === 0)
    throw refused(`no rules in the folder of --rules: ${dir}`, 'a rule is a file that ends in .js, .mjs or .ts')
  const files: RuleFile[] = []
  const known = new Map(caseRules.map(({ name }): [string, string] => [name, 'Tidemark']))
  // One after the other: which fault is told does not depend on what is read sooner.
  for (const name of names) {
    const path = join(dir, name)
    const rules = await rulesIn(path)
    for (const rule of rules) {
      const other = known.get(rule.name)
      if (other !== undefined)
        throw refused(`two rules have the name ${rule.name}, in ${other} and in: ${path}`, 'rename one of them')
      known.set(rule.name, path)
    }
    files.push({ path, rules })
  }
  return files
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    const isRule = (name: string): boolean =>
      /\.(js|mjs|ts|mts)$/.test(name) && !/\.d\.m?ts$/.test(name) && !name.startsWith('.')
    return entries
      .filter(entry => !entry.isDirectory() && isRule(entry.name))
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') throw refused(`no such folder for --rules: ${dir}`, 'check the name')
    if (code === 'ENOTDIR') throw refused(`a file where a folder is expected for --rules: ${dir}`, 'name its folder')
    throw error
  }
}

async function rulesIn(path: string): Promise<OwnRule[]> {
  const isTypeScript = /\.m?ts$/.test(path)
  const { typescript = false } = process.features as { typescript?: string | false }
  if (isTypeScript && typescript === false)
    throw refused(
      `this Node (${process.version}) does not run TypeScript: ${path}`,
      'write the rule as .mjs with types in JSDoc comments, or run Tidemark with Node 22.18 or newer',
    )
  const made = await defaultOf(path)
  const rules = (Array.isArray(made) ? made : [made]) as unknown[]
  if (rules.length === 0) throw refused(`no rule in the list that it exports: ${path}`, exportHint)
  return rules.map((rule, i) => checkedRule(rule, path, Array.isArray(made) ? `rule ${i + 1}: ` : ''))
}

const exportHint = 'export a rule, a list of rules, or a function of the tools that returns them, as the default'

/** What a file exports as the default; of a function, what it makes of the tools. */
async function defaultOf(path: string): Promise<unknown> {
  let exported: unknown
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown }
    exported = module.default
    if (typeof exported === 'function') exported = await exported(ruleTools)
  } catch (error) {
    throw new UserError(`cannot load a rule: ${path}: ${firstLine(errorText(error))}`, {
      status: 2,
      hint: `node ${path} shows where it fails`,
      cause: error,
    })
  }
  if (exported === undefined) throw refused(`no default export: ${path}`, exportHint)
  return exported
}

const brief = textThat(value => value.length > 0 && value.length <= 500, 'no text of 1 to 500 characters')
const notNegative: Shape<number> = value => {
  const one = number(value)
  return one >= 0 ? one : number(null)
}
const named = textThat(
  value => /^[A-CE-Z]\d\d-[a-z\d]+(-[a-z\d]+)*$/.test(value),
  'no letter other than D, two digits and a name, like X01-printers',
)
/** The parts of a rule that are data. */
const dataOf = objectOf({
  name: named,
  title: brief,
  attack: listOf(
    objectOf({ id: textThat(value => /^T\d{4}(\.\d{3})?$/.test(value), 'no technique, like T1071.004'), name: brief }),
  ),
  guardDuty: listOf(brief),
  scope: oneOf('client', 'case'),
})

function checkedRule(rule: unknown, path: string, which: string): OwnRule {
  const fault = faultOf(rule)
  if (fault !== null)
    throw refused(`not a rule: ${path}: ${which}${fault}`, 'docs/reference/own-rules.md has its parts')
  return guarded({ ...(rule as CaseRule), path })
}

/** What is wrong with a rule, in words; null: nothing. */
function faultOf(rule: unknown): string | null {
  const data = fit(dataOf, rule)
  if (data.fault !== null) return data.fault
  const { needs: asked, thresholds, reasons, scope, find, selects, limitsOf } = rule as Record<keyof CaseRule, unknown>
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject(asked)) return 'needs: not an object'
  for (const [need, level] of Object.entries(asked)) {
    if (!needs.some(one => one === need)) return `needs.${need}: not one of ${needs.join(', ')}`
    if (level !== 'must' && level !== 'better') return `needs.${need}: neither must nor better`
  }
  if (!isObject(thresholds)) return 'thresholds: not an object'
  if (!isObject(reasons)) return 'reasons: not an object'
  for (const [name, value] of Object.entries(thresholds)) {
    if (!/^[a-z][A-Za-z\d]*$/.test(name)) return `thresholds.${name}: not a name like targetsMin`
    const all = Array.isArray(value) ? value : [value]
    if (all.some(one => fit(notNegative, one).fault !== null))
      return `thresholds.${name}: neither a number from 0 nor a list of them`
    if (fit(brief, reasons[name]).fault !== null) return `reasons.${name}: no text of 1 to 500 characters`
  }
  if (typeof find !== 'function') return 'find: not a function'
  if (scope === 'case' && typeof selects !== 'function') return 'selects: not a function, which scope "case" needs'
  if (limitsOf !== undefined && typeof limitsOf !== 'function') return 'limitsOf: not a function'
  return null
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}

function refused(message: string, hint: string): UserError {
  return new UserError(message, { status: 2, hint })
}
