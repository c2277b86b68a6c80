import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Detections, type DetectOptions, detect, listedRules } from '../../src/detect/detect.ts'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { loadRules } from '../../src/rules/own-rules.ts'
import { openCase } from '../../src/store/case.ts'
import { tidemark } from '../cli/run.ts'
import { repoRoot } from '../repo.ts'
import { answered, header, linesOf } from './flows.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-own-rules-'))
after(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
/** A folder with these files. */
function folderOf(files: Record<string, string>): string {
  const folder = join(root, `rules-${folders++}`)
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const log = join(root, 'flows.log')
const flows = [
  answered({ at: 0, from: 1, to: 2, port: 23, up: [20, 2000] }),
  answered({ at: 60, from: 1, to: 3, port: 23, up: [4, 400] }),
  answered({ at: 90, from: 1, to: 3, port: 22, up: [20, 2000] }),
]
writeFileSync(log, `${[header, ...linesOf({ rule: '', name: '', found: null, flows }, 0)].join('\n')}\n`)
const built = addEvidence({ case: join(root, 'case'), paths: [log], workers: 1 })

async function ask(options: DetectOptions): Promise<Detections> {
  await built
  const opened = await openCase(join(root, 'case'))
  try {
    return await detect(opened, options)
  } finally {
    await opened.close()
  }
}

/** A rule as text; `parts` in place of its own. */
function ruleText(parts: Record<string, string> = {}): string {
  const all = {
    ...{ name: `'X07-any'`, title: `'anything'`, needs: '{}', thresholds: '{ most: 3 }', reasons: `{ most: 'why' }` },
    ...{ attack: '[]', guardDuty: '[]', scope: `'client'`, find: '() => []' },
    ...parts,
  }
  return `export default { ${Object.entries(all)
    .map(([name, text]) => `${name}: ${text}`)
    .join(', ')} }`
}

/** A finding as text. */
function draftText(parts: Record<string, string> = {}): string {
  const all = {
    ...{ title: `'t'`, severity: `'low'`, confidence: `'low'`, tactic: `'discovery'`, technique: 'null' },
    ...{ technique_name: 'null', summary: `'s'`, scores: '[]', would_change: `'w'`, counter_hypotheses: '[]' },
    ...{ subject: '[0]', peers: '[1]', connections: '[0]' },
    ...parts,
  }
  return `{ ${Object.entries(all)
    .map(([name, text]) => `${name}: ${text}`)
    .join(', ')} }`
}

const example = join(repoRoot, 'examples', 'rules')

test('the rule of the example finds what it looks for, and passes over the rest', async () => {
  const { findings, rules_failed } = await ask({ ownRules: example, rules: ['X01'] })
  assert.deepEqual(rules_failed, [])
  assert.deepEqual(
    findings.map(({ rule, subject, peers, connections }) => ({ rule, subject, peers, connections })),
    [{ rule: 'X01-clear-text-login', subject: ['fd00:1::1'], peers: ['fd00:1::2'], connections: 1 }],
  )
})

test('thresholds of a rule of one’s own are set like those of the others, and the list has them and the file', async () => {
  const { findings } = await ask({ ownRules: example, rules: ['X01'], set: ['X01.packets-min=4'] })
  assert.equal(findings.length, 2)
  const { rules } = await listedRules({ ownRules: example, rules: ['X01'] })
  assert.deepEqual(
    rules.map(({ name, path }) => ({ name, path })),
    [{ name: 'X01-clear-text-login', path: join(example, 'x01-clear-text-login.mjs') }],
  )
})

test('the page of the documentation shows the rule that is run here', () => {
  const page = readFileSync(join(repoRoot, 'docs', 'reference', 'own-rules.md'), 'utf8')
  assert.ok(page.includes(readFileSync(join(example, 'x01-clear-text-login.mjs'), 'utf8')))
})

test('a file exports a rule, a list of rules, or a function that makes them of the tools', async () => {
  const one = ruleText().replace('export default ', '')
  const folder = folderOf({
    'a.mjs': `export default ${one.replace('X07', 'X01')}`,
    'b.mjs': `export default [${one.replace('X07', 'X02')}, ${one.replace('X07', 'X03')}]`,
    'c.mjs': `export default async tools => [${one.replace('X07', 'X04')}, ...(tools.clientsOf ? [${one.replace('X07', 'X05')}] : [])]`,
    'd.d.ts': 'this is not read',
    '.hidden.mjs': 'this is not read',
    'readme.txt': 'this is not read',
  })
  mkdirSync(join(folder, 'shared.mjs'))
  const files = await loadRules(folder)
  assert.deepEqual(
    files.map(({ path, rules }) => [path.slice(folder.length + 1), rules.map(({ name }) => name)]),
    [
      ['a.mjs', ['X01-any']],
      ['b.mjs', ['X02-any', 'X03-any']],
      ['c.mjs', ['X04-any', 'X05-any']],
    ],
  )
})

test('what is no rule is refused, with its file and what is wrong', async () => {
  const fault = async (text: string, name = 'a.mjs'): Promise<string> => {
    const folder = folderOf({ [name]: text })
    try {
      await loadRules(folder)
    } catch (error) {
      assert.ok(error instanceof UserError && error.status === 2, String(error))
      assert.ok(error.message.includes(join(folder, name)), error.message)
      return error.message.replace(join(folder, name), 'FILE')
    }
    return 'taken'
  }
  assert.equal(await fault(ruleText()), 'taken')
  assert.match(await fault('export default {'), /^cannot load a rule: FILE: /)
  assert.match(await fault('throw new Error("no luck\\nat all")'), /^cannot load a rule: FILE: no luck$/)
  assert.match(await fault('import "./not-there.mjs"'), /^cannot load a rule: FILE: Cannot find module/)
  assert.equal(await fault('export const rule = 1'), 'no default export: FILE')
  assert.equal(await fault('export default []'), 'no rule in the list that it exports: FILE')
  assert.equal(await fault('export default 7'), 'not a rule: FILE: not an object')
  assert.equal(await fault('export default () => null'), 'not a rule: FILE: not an object')
  const parts: [string, string, RegExp][] = [
    ['name', `'D01-mine'`, /name: no letter other than D/],
    ['name', `'mine'`, /name: /],
    ['title', `''`, /title: no text of 1 to 500/],
    ['title', `'x'.repeat(501)`, /title: no text of 1 to 500/],
    ['needs', '[]', /needs: not an object/],
    ['needs', `{ flag: 'must' }`, /needs\.flag: not one of packets, action/],
    ['needs', `{ flags: 'yes' }`, /needs\.flags: neither must nor better/],
    ['thresholds', `{ most: '3' }`, /thresholds\.most: neither a number from 0/],
    ['thresholds', '{ most: -1 }', /thresholds\.most: /],
    ['thresholds', '{ most: NaN }', /thresholds\.most: /],
    ['thresholds', '{ most: [1, -1] }', /thresholds\.most: /],
    ['thresholds', `{ 'the most': 1 }`, /thresholds\.the most: not a name/],
    ['reasons', '{}', /reasons\.most: no text/],
    ['attack', `[{ id: 'X1', name: 'x' }]`, /attack\.0\.id: no technique/],
    ['guardDuty', '7', /guardDuty: not a list/],
    ['scope', `'all'`, /scope: not client or case/],
    ['scope', `'case'`, /selects: not a function/],
    ['find', '7', /find: not a function/],
    ['limitsOf', '7', /limitsOf: not a function/],
  ]
  for (const [part, text, message] of parts)
    assert.match(await fault(ruleText({ [part]: text })), message, `${part} ${text}`)
})

test('two rules of the same name are refused', async () => {
  const folder = folderOf({ 'a.mjs': ruleText(), 'b.mjs': ruleText() })
  await assert.rejects(loadRules(folder), {
    message: `two rules have the name X07-any, in ${join(folder, 'a.mjs')} and in: ${join(folder, 'b.mjs')}`,
  })
})

test('a folder that is not there, that is a file, or has no rules is refused', async () => {
  await assert.rejects(loadRules(join(root, 'nowhere')), {
    message: `no such folder for --rules: ${join(root, 'nowhere')}`,
  })
  await assert.rejects(loadRules(log), { message: `a file where a folder is expected for --rules: ${log}` })
  await assert.rejects(loadRules(folderOf({ 'a.txt': '' })), /no rules in the folder of --rules/)
})

test('a rule in TypeScript is run where Node takes types away, and refused with the reason elsewhere', async () => {
  const { typescript = false } = process.features as { typescript?: string | false }
  const folder = folderOf({ 'a.ts': `const most: number = 3\n${ruleText({ thresholds: '{ most }' })}` })
  if (typescript === false)
    await assert.rejects(loadRules(folder), /this Node \(v[\d.]+\) does not run TypeScript: .*a\.ts$/)
  else assert.equal((await loadRules(folder)).length, 1)
})

test('a rule that throws or returns nonsense is named, its findings are not used, and those of the others are', async () => {
  const problem = async (parts: Record<string, string>): Promise<string> => {
    const { findings, rules_failed, not_decidable } = await ask({
      ownRules: folderOf({ 'a.mjs': ruleText(parts), 'b.mjs': fine }),
    })
    assert.ok(findings.some(({ rule }) => rule === 'X08-fine'))
    assert.ok(!findings.some(({ rule }) => rule === 'X07-any'))
    assert.ok(!not_decidable.some(({ rule }) => rule === 'X07-any'))
    return rules_failed.map(one => `${one.rule}: ${one.problem}`).join()
  }
  const fine = ruleText({ name: `'X08-fine'`, find: `() => [${draftText()}]` })
  assert.match(
    await problem({ find: '() => { null.x }' }),
    /^X07-any: TypeError: Cannot read properties of null.* at .*a\.mjs:1:\d+$/,
  )
  assert.match(await problem({ find: `() => { throw 'no luck' }` }), /^X07-any: no luck$/)
  const returns = (text: string): Promise<string> => problem({ find: `() => ${text}` })
  assert.equal(await returns('7'), 'X07-any: what find returned does not fit: not a list')
  assert.equal(await returns('Promise.resolve([])'), 'X07-any: what find returned does not fit: not a list')
  assert.match(
    await returns(`[{ get title() { throw new Error('no luck') } }]`),
    /^X07-any: Error: no luck at .*a\.mjs:1:\d+$/,
  )
  const wrong: [Record<string, string>, RegExp][] = [
    [{ severity: `'dire'` }, /0\.severity: not info or low/],
    [{ confidence: 'null' }, /0\.confidence: /],
    [{ tactic: `'luck'` }, /0\.tactic: /],
    [{ summary: `'x'.repeat(3000)` }, /0\.summary: no text of 1 to 2000/],
    [{ title: `''` }, /0\.title: /],
    [{ scores: `[{ name: 'n', value: NaN, threshold: 't' }]` }, /0\.scores\.0\.value: not a number/],
    [{ scores: `Array(30).fill({ name: 'n', value: 1, threshold: 't' })` }, /0\.scores: not from 0 to 20/],
    [{ subject: '[]' }, /0\.subject: not from 1/],
    [{ subject: '[9999]' }, /0\.subject\.0: not from 0 to \d+/],
    [{ peers: '[-1]' }, /0\.peers\.0: not a count/],
    [{ connections: '[3]' }, /0\.connections\.0: not from 0 to 2/],
    [{ connections: '[0.5]' }, /0\.connections\.0: not a count/],
    [{ connections: '[]' }, /0\.connections: /],
  ]
  for (const [parts, message] of wrong)
    assert.match(await returns(`[${draftText(parts)}]`), message, JSON.stringify(parts))
  assert.match(await problem({ scope: `'case'`, selects: '() => 1' }), /what selects returned does not fit/)
  assert.match(await problem({ limitsOf: '() => 1' }), /what limitsOf returned does not fit/)
})

test('the command names a rule that failed, in the page too, and ends with status 3; a file that is no rule ends it with 2', () => {
  const failing = folderOf({ 'a.mjs': ruleText({ find: '() => { throw new Error("no luck") }' }) })
  const failed = tidemark(['detect', '--rules', failing, log], { cwd: root })
  assert.equal(failed.status, 3)
  assert.match(
    failed.stderr,
    /rules of your own failed; what they found is not used\n {2}.*a\.mjs: X07-any: Error: no luck at /,
  )
  assert.match(failed.stdout, /X07-any of \S*a\.mjs failed/)
  const refused = tidemark(['detect', '--rules', folderOf({ 'a.mjs': 'export default 7' }), log], { cwd: root })
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /^tidemark: not a rule: .*a\.mjs: not an object\n {2}hint: /)
})
