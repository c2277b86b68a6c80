/** The pages of the documentation, as `tidemark help TOPIC` shows them. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitStatus, UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { markdownPage, topicOfPage } from '../report/markdown.ts'
import type { Command } from './commander.ts'
import { print, printPage } from './output.ts'

interface Topic {
  name: string
  /** Tutorials, how-to guides, reference, rules, explanation. */
  kind: string
  path: string
}

async function topicsOf(): Promise<Topic[]> {
  const docs = docsFolder()
  if (docs === null) return []
  const files = await readdir(docs, { recursive: true, withFileTypes: true })
  return files
    .filter(file => file.isFile() && file.name.endsWith('.md') && file.parentPath !== docs)
    .map(file => ({
      name: topicOfPage(basename(file.name, '.md')),
      kind: basename(file.parentPath),
      path: join(file.parentPath, file.name),
    }))
    .sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : order(a.kind) - order(b.kind)))
}

const kinds = ['tutorials', 'how-to', 'reference', 'rules', 'explanation']

function order(kind: string): number {
  return (kinds.indexOf(kind) + kinds.length + 1) % (kinds.length + 1)
}

/** `docs/` of the package: beside `dist/`, or two levels up where tests run. */
function docsFolder(): string | null {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (let up = 0; up < 4; up++) {
    folder = dirname(folder)
    if (existsSync(join(folder, 'package.json'))) break
  }
  const docs = join(folder, 'docs')
  return existsSync(docs) ? docs : null
}

/** Names and titles of the topics. */
export async function showTopics(): Promise<void> {
  const topics = await topicsOf()
  const width = Math.max(...topics.map(({ name }) => name.length))
  const lines = await Promise.all(
    topics.map(async ({ name, path }) => `  ${name.padEnd(width)}  ${titleOf(await readFile(path, 'utf8'))}`),
  )
  await print(['', 'Topics (tidemark help TOPIC):', ...lines].join('\n'))
}

function titleOf(markdown: string): string {
  return /^# (.*)$/m.exec(markdown)?.[1]?.replaceAll('`', '') ?? ''
}

/** More are no help. */
const topicsMost = 8

/** Topics with the word in their name or title. */
async function topicsWith(topics: readonly Topic[], word: string): Promise<Topic[]> {
  const isIn = await Promise.all(
    topics.map(async ({ name, path }) => {
      const words = `${name} ${titleOf(await readFile(path, 'utf8'))}`.toLowerCase().split(/[^a-z0-9]+/)
      return words.includes(word)
    }),
  )
  return topics.filter((_, i) => isIn[i])
}

/** The page of a topic. @throws UserError if nothing is called so. */
export async function showTopic(program: Command, name: string): Promise<void> {
  const topics = await topicsOf()
  const asked = name.toLowerCase()
  // A rule by its name, or by its number where it is the only one.
  const begun = topics.filter(one => one.name.startsWith(`${asked}-`))
  const topic = topics.find(one => one.name === asked) ?? (begun.length === 1 ? begun[0] : undefined)
  if (topic === undefined) {
    const worded = begun.length > 0 ? begun : await topicsWith(topics, asked)
    const near = nearest(name, [...program.commands.map(command => command.name()), ...topics.map(one => one.name)])
    throw new UserError(`unknown command or topic '${name}'`, {
      hint:
        begun.length === 0 && near !== null
          ? `did you mean ${near}?`
          : worded.length === 0 || worded.length > topicsMost
            ? 'tidemark help lists them'
            : `there ${worded.length === 1 ? 'is' : 'are'} ${worded.map(one => one.name).join(', ')}`,
      status: exitStatus.usage,
    })
  }
  const options = program.opts<{ color: boolean }>()
  await printPage(markdownPage(await readFile(topic.path, 'utf8')), options.color)
}
