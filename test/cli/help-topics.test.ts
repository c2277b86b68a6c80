import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { buildProgram } from '../../src/cli/program.ts'
import { markdownPage, topicOfPage } from '../../src/report/markdown.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { displayWidth } from '../../src/report/text.ts'
import { repoRoot } from '../repo.ts'
import { tidemark } from './run.ts'

const docs = join(repoRoot, 'docs')
const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter(name => /\/.*\.md$/.test(name))

test('every page of the documentation is a topic, and none is called like a command or another', () => {
  const commands = buildProgram().commands.map(command => command.name())
  const topics = pages.map(page => topicOfPage(basename(page, '.md')))
  assert.equal(new Set([...topics, ...commands]).size, topics.length + commands.length)
  const { stdout, status } = tidemark(['help'])
  assert.equal(status, 0)
  for (const topic of topics) assert.match(stdout, new RegExp(`^  ${topic} +\\S`, 'm'))
})

test('a topic is the page, laid out for the terminal', () => {
  const { stdout, status } = tidemark(['help', 'filter'])
  assert.equal(status, 0)
  assert.match(stdout, /^The filter language$/m)
  assert.match(stdout, /^── Addresses and ports ─+$/m)
  assert.match(stdout, /^src ip 10\.0\.0\.0\/8 and dst port in \[22 3389\] and not action REJECT$/m)
  assert.doesNotMatch(stdout, /\.md\b|```|\*\*/)
})

test('every page has all its words, and lines that fit but for code', () => {
  const words = (text: string): string[] => text.match(/[\p{L}\p{N}]{2,}/gu) ?? []
  for (const page of pages) {
    const markdown = readFileSync(join(docs, page), 'utf8')
    const text = terminalText(markdownPage(markdown), { width: 100, color: false })
    const shown = new Set(words(text))
    // Where a table is too wide, its first title goes.
    const bare = markdown
      .replaceAll(/^\|[^|]*\|(?=.*\n\| -)/gm, '|')
      .replaceAll(/\]\([^)]*\)/g, '] ')
      .replaceAll(/```\w*|&\w+;|<!--.*-->|<[^>\n]*>/g, ' ')
    assert.deepEqual(
      [...new Set(words(bare))].filter(word => !shown.has(word)),
      [],
      page,
    )
    const codes = new Set(markdown.split('\n').map(line => line.trim()))
    const wide = text.split('\n').filter(line => displayWidth(line) > 100 && !codes.has(line.trim()))
    assert.deepEqual(wide, [], page)
  }
})

test('a topic that does not exist names the nearest', () => {
  const { stderr, status } = tidemark(['help', 'metring'])
  assert.equal(status, 2)
  assert.equal(stderr, "tidemark: unknown command or topic 'metring'\n  hint: did you mean metering?\n")
  const hint = (word: string): string => tidemark(['help', word]).stderr.split('hint: ')[1]!.trim()
  assert.equal(hint('S3'), 'there is read-from-aws')
  assert.equal(hint('athena'), 'there is trino-and-athena')
  assert.equal(hint('xyzzy'), 'tidemark help lists them')
})
