// The pages of the rules: what a rule says of itself as data stands in its page, and a person has written the rest.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { caseRules } from '../../src/rules/all.ts'
import { attackRelease } from '../../src/rules/attack.ts'
import { lackText } from '../../src/rules/needs.ts'
import type { CaseRule, Need } from '../../src/rules/rule.ts'
import { table } from '../markdown-table.ts'
import { repoRoot } from '../repo.ts'

const folder = join(repoRoot, 'docs', 'rules')
const overview = join(repoRoot, 'docs', 'reference', 'detections.md')
const pathOf = ({ name }: CaseRule): string => join(folder, `${name.toLowerCase()}.md`)
const [begin, end] = ['<!-- from src/rules: node scripts/test.mjs rules/pages -u -->', '<!-- to here -->']
const notWritten = 'Not written yet.'
const sections = ['How it decides', 'Severity and confidence', 'Could also be', 'Blind spots', 'Sources', 'Example']

/** What a rule says of itself. */
function dataOf({ name, title, needs, thresholds, reasons, attack, guardDuty }: CaseRule): string {
  const needRows = Object.entries(needs).map(([need, level]) => [
    `\`${need}\``,
    level === 'must' ? 'nothing is decided' : 'it decides with less',
    lackText(need as Need),
  ])
  const thresholdRows = Object.entries(thresholds).map(([threshold, value]) => [
    `\`${threshold}\``,
    typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : value.join(', '),
    (reasons[threshold] ?? '').replaceAll('|', '\\|'),
  ])
  const blocks = [
    `Looks for: ${title}.`,
    `ATT&CK ${attackRelease}: ${attack.length === 0 ? 'none' : attack.map(one => `${one.id} ${one.name}`).join('; ')}. GuardDuty: ${guardDuty.length === 0 ? 'none' : guardDuty.map(type => `\`${type}\``).join(', ')}.`,
    needRows.length === 0
      ? 'It needs nothing of a log beyond its records.'
      : table(['needs', 'without it', 'and says'], needRows),
    ...(thresholdRows.length === 0
      ? []
      : [
          `Thresholds; \`--set ${name}.${Object.keys(thresholds)[0]}=…\` puts another in force.`,
          table(['threshold', 'default', 'why'], thresholdRows),
        ]),
  ]
  return [begin, ...blocks, end].join('\n\n')
}

/** A text with what stands between two comments in it replaced. */
function withBlock(page: string, block: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  return from < 0 || to < 0 ? page : page.slice(0, from) + block + page.slice(to + end.length)
}

function stub(rule: CaseRule): string {
  const rest = sections.map(heading => `## ${heading}\n\n${notWritten}\n`)
  return [`# ${rule.name}: ${rule.title}\n`, `${begin}\n\n${end}\n`, ...rest].join('\n')
}

for (const rule of caseRules) {
  test(`the page of ${rule.name} has what the rule says of itself, and all that a person must say of it`, () => {
    const path = pathOf(rule)
    if (process.env.UPDATE_GOLDEN)
      writeFileSync(path, withBlock(existsSync(path) ? readFileSync(path, 'utf8') : stub(rule), dataOf(rule)))
    assert.ok(existsSync(path), `${path}: node scripts/test.mjs rules/pages -u writes its beginning`)
    const page = readFileSync(path, 'utf8')
    assert.ok(page.includes(dataOf(rule)), 'node scripts/test.mjs rules/pages -u writes it again')
    assert.match(page, new RegExp(`^# ${rule.name}: `))
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    assert.deepEqual(headings, sections)
    assert.ok(!page.includes(notWritten), 'what a person must write is not there')
  })
}

test('the overview lists the pages of all rules', () => {
  const rows = readdirSync(folder)
    .filter(name => name.endsWith('.md'))
    .sort()
    .map(file => {
      const [, name, title] = /^# ([^:]+): (.*)$/m.exec(readFileSync(join(folder, file), 'utf8'))!
      return [`[${name}](../rules/${file})`, title!]
    })
  const index = [begin, table(['rule', 'looks for'], rows), end].join('\n\n')
  if (process.env.UPDATE_GOLDEN) writeFileSync(overview, withBlock(readFileSync(overview, 'utf8'), index))
  assert.ok(readFileSync(overview, 'utf8').includes(index), 'node scripts/test.mjs rules/pages -u writes it again')
})
