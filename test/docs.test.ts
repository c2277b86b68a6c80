import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { buildProgram } from '../src/cli/program.ts'
import { type FieldRow, flowFields } from '../src/records/fields.ts'
import { connectionFields, type PacketField, packetFlowFields } from '../src/records/packet-fields.ts'
import { subjectRules } from '../src/rules/all.ts'
import { table } from './markdown-table.ts'
import { repoRoot } from './repo.ts'

const read = (name: string) => readFileSync(join(repoRoot, name), 'utf8')
const docs = readdirSync(join(repoRoot, 'docs'), { recursive: true, encoding: 'utf8' })
const pages = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...docs.filter(name => name.endsWith('.md')).map(name => join('docs', name)),
]

const types: Record<FieldRow['type'] | PacketField['type'], string> = {
  id: 'text, `VARCHAR`',
  u8: 'integer, `UTINYINT`',
  u16: 'integer, `USMALLINT`',
  u64: 'integer, `UBIGINT`',
  time: 'UTC, `TIMESTAMP`',
  address: 'address, `STRUCT(hi UBIGINT, lo UBIGINT)`',
  text: 'text, `VARCHAR`',
}

/** The table of the fields of packets, which no flow log has a version or a title for. */
function packetTable(fields: readonly PacketField[]): string {
  return table(
    ['column', 'type', 'meaning'],
    fields.map(({ name, type, doc }) => [`\`${name}\``, types[type], doc.replaceAll('|', '\\|')]),
  )
}

function fieldsPage(): string {
  const rows = flowFields.map(({ name, type, version, title, doc }: FieldRow) => [
    `\`${name}\``,
    title,
    types[type],
    String(version),
    doc,
  ])
  return `# Fields

The fields of a flow record: AWS's names with \`-\` written \`_\`, the same in JSON, in columns and in the library. _Version_ is the
flow-log version that brought the field; 6 is that of Transit Gateway logs. \`-\` in a log is null here. A field that is not in this
table is kept as a text column under its own name. [The types in a case](case.md).

This page is generated from \`src/records/fields.ts\` and \`src/records/packet-fields.ts\` (\`node scripts/test.mjs docs -u\`).

${table(['column', 'title', 'type', 'version', 'meaning, and its caveat'], rows)}

## Flow records of packets

View \`packet_flows\`: one direction of a conversation, [metered from a capture](metering.md) or [as an nfcapd file has it](nfcapd.md).

${packetTable(packetFlowFields)}

## Connections of packets

View \`connections\`: both directions of a conversation in a capture.

${packetTable(connectionFields)}
`
}

test('the page of fields tells what the table of fields does', () => {
  const path = join(repoRoot, 'docs', 'reference', 'fields.md')
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, fieldsPage())
  assert.equal(readFileSync(path, 'utf8'), fieldsPage(), 'node scripts/test.mjs docs -u writes it again')
})

/** The text of a page below the heading that begins with these words, up to the next of its rank. */
function section(page: string, heading: string): string | null {
  const sections = page.split(/^(?=## )/m)
  return sections.find(text => text.startsWith(`## ${heading}`) && /^[\s]/.test(text.slice(heading.length + 3))) ?? null
}

test('every command and option is documented', () => {
  const page = read('docs/reference/commands.md')
  const program = buildProgram()
  const documented = [
    { heading: 'Every command', command: program },
    ...program.commands
      .filter(command => command.name() !== 'help')
      .map(command => ({ heading: `tidemark ${command.name()}`, command })),
  ]
  const missing = documented.flatMap(({ heading, command }) => {
    const text = section(page, heading)
    if (text === null) return [`no section "${heading}"`]
    return command.options
      .filter(({ long }) => !new RegExp(`${long}(?![\\w-])`).test(text))
      .map(({ long }) => `"${heading}" lacks ${long}`)
  })
  assert.deepEqual(missing, [])
})

test('every option in the page of commands exists', () => {
  const program = buildProgram()
  const known = new Set([program, ...program.commands].flatMap(command => command.options.map(({ long }) => long)))
  const named = [...read('docs/reference/commands.md').matchAll(/`(--[a-z][a-z-]+)/g)].map(([, name]) => name!)
  assert.deepEqual(
    named.filter(name => !known.has(name) && name !== '--help'),
    [],
  )
})

test('every rule of which the dossier asks less is documented under its name there, with its techniques', () => {
  const page = read('docs/reference/findings.md')
  const rules = subjectRules.flatMap(({ ofSubject, attack }) =>
    ofSubject?.name === undefined ? [] : [{ rule: ofSubject.name, techniques: attack.map(({ id }) => id) }],
  )
  assert.ok(rules.length > 0)
  const missing = rules.flatMap(({ rule, techniques }) => {
    const text = section(page, rule)
    if (text === null) return [rule]
    return techniques.filter(id => !text.includes(id)).map(id => `${rule}: ${id}`)
  })
  assert.deepEqual(missing, [])
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name)
  assert.deepEqual(headings.sort(), [...rules.map(({ rule }) => rule), 'Other rules'].sort())
})

test('every status that the program can end with is documented', async () => {
  const { exitStatus } = await import('../src/errors.ts')
  const text = section(read('docs/reference/commands.md'), 'Exit status') ?? ''
  assert.deepEqual(
    Object.values(exitStatus).filter(status => !new RegExp(`^\\| ${status} +\\|`, 'm').test(text)),
    [],
  )
})

test('no relative link is dead', () => {
  const dead = pages.flatMap(page =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter(target => !/^[a-z]+:/.test(target))
      .filter(target => !leadsSomewhere(page, target))
      .map(target => `${page}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

function leadsSomewhere(page: string, target: string): boolean {
  const [path, anchor] = target.split('#') as [string, string | undefined]
  const file = path === '' ? page : relative(repoRoot, join(repoRoot, dirname(page), path))
  if (!existsSync(join(repoRoot, file))) return false
  return anchor === undefined || anchorsOf(read(file)).includes(anchor)
}

/** Anchors as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test('every page of the documentation is linked from another', () => {
  const linked = new Set(
    pages.flatMap(page =>
      [...read(page).matchAll(/\]\(([^)\s#]+)/g)].map(([, target]) =>
        relative(repoRoot, join(repoRoot, dirname(page), target!)),
      ),
    ),
  )
  assert.deepEqual(
    pages.filter(page => page.startsWith('docs') && !linked.has(page)),
    [],
  )
})

test('the README is read in a few minutes', () => {
  assert.ok(read('README.md').split('\n').length <= 150)
})

test('the pages show no option that is not there', () => {
  const program = buildProgram()
  const known = new Set([program, ...program.commands].flatMap(command => command.options.map(({ long }) => long)))
  const lines = pages
    .filter(page => page === 'README.md' || /^docs.(tutorials|how-to|explanation)/.test(page))
    .flatMap(page => read(page).split('\n'))
    .filter(line => line.includes('tidemark '))
  const named = lines.flatMap(line => [...line.matchAll(/tidemark [^`\n]*?(--[a-z][a-z-]+)/g)].map(([, name]) => name!))
  assert.deepEqual(
    named.filter(name => !known.has(name) && name !== '--help'),
    [],
  )
})
