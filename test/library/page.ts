/** The page of the library, made of `src/index.ts`, the doc comments behind it and the programs in `examples/`. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repoRoot } from '../repo.ts'

interface Exported {
  /** As the library calls it. */
  name: string
  doc: string
  /** The declaration, without bodies of functions. */
  text: string
}

const begin = `# The library

\`import … from 'tidemark'\`: everything that the commands do, typed. Nothing is printed, nothing ends the process, and nothing reaches
the network.

- **A case.** What asks takes a \`Case\`, which \`openCase\` opens and \`close\` closes. What writes to a case, or checks it, takes its folder:
  \`addEvidence\`, \`removeEvidence\`, \`readEvidence\`, \`verifyCase\`. An open case does not see what is added later.
- **Several questions at once.** Any number of questions may be asked of one open case at the same time; each is answered as if it were
  alone. One process at a time writes to a case: a second \`addEvidence\` is refused with the name of the first.
- **Stopping.** Everything that can take long takes an \`AbortSignal\`, which stops that call alone; it then throws the signal's reason.
  Files that \`addEvidence\` has read by then are kept.
- **Rows.** \`queryFlows\` gives rows whose type follows from the request: \`{ by: ['srcip4/24'] }\` has \`srcaddr_net4\`. They are read as they
  are asked for. Columns have the same names as in \`--json\`.
- **Numbers.** Counts are exact: a number up to 2^53, a bigint beyond it. \`JSON.stringify\` refuses bigints; \`toJson\` writes every digit.
  Times are ISO 8601 in UTC. Unknown is \`null\`, and never 0.
- **Errors.** What the caller can put right is a \`UserError\` with a \`status\`, as of the command, and mostly a \`hint\`. Any other error is
  a bug. Bad evidence is no error: the report says what was not read.

This page is generated from \`src/index.ts\` and the doc comments (\`node scripts/test.mjs library -u\`).
`

export function libraryPage(): string {
  const { functions, types } = exportsOf(readFileSync(join(repoRoot, 'src', 'index.ts'), 'utf8'))
  return [
    begin,
    '## Examples\n',
    ...examples(),
    '## Functions and values\n',
    ...functions.map(section),
    '## Types\n',
    ...types.map(section),
  ].join('\n')
}

function examples(): string[] {
  const folder = join(repoRoot, 'examples')
  const files = readdirSync(folder).filter(name => name.endsWith('.ts'))
  return files.map(file => {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n')
    const from = lines.findIndex(line => !line.startsWith('//'))
    const what = lines.slice(0, from).filter(line => !/^\/\/(\s*$|\s{2,})/.test(line))
    const words = what.map(line => line.slice(3)).join('\n')
    return `${words} ([examples/${file}](../../examples/${file}))\n\n${code(lines.slice(from).join('\n').trim())}`
  })
}

function section({ name, doc, text }: Exported): string {
  return `### ${name}\n\n${doc === '' ? '' : `${doc}\n\n`}${code(text)}`
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\`\n`
}

function exportsOf(index: string): { functions: Exported[]; types: Exported[] } {
  const functions: Exported[] = []
  const types: Exported[] = []
  const add = (one: Exported | null): void => {
    if (one === null) return
    const isType = /^(export )?(interface|type) /.test(one.text)
    ;(isType ? types : functions).push(one)
  }
  for (const [, names, from] of index.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '(.*)'$/gm)) {
    const path = join(repoRoot, 'src', from!)
    const source = readFileSync(path, 'utf8')
    if (names === '*') {
      const handedOn = [...source.matchAll(/^export type \{([^}]*)\}/gm)].flatMap(
        ([, some]) => some!.match(/\w+/g) ?? [],
      )
      const declared = [...source.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name!)
      for (const name of [...declared, ...handedOn]) add(declaration(path, name, name))
      continue
    }
    for (const [, own, , other] of names!.matchAll(/(?:type )?(\w+)( as (\w+))?/g))
      if (own !== 'type') add(declaration(path, own!, other ?? own!))
  }
  const byName = (a: Exported, b: Exported): number => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1)
  return { functions: functions.sort(byName), types: types.sort(byName) }
}

/** What a module declares by this name, or hands on from another. */
function declaration(path: string, own: string, name: string): Exported {
  const source = readFileSync(path, 'utf8')
  const at = new RegExp(
    `^export (?:async |declare |abstract )*(function\\*?|class|interface|type|const) ${own}\\b`,
    'm',
  ).exec(source)
  if (at === null) {
    const from = new RegExp(`^(?:export|import) (?:type )?\\{[^}]*\\b${own}\\b[^}]*\\} from '(.*)'`, 'm').exec(
      source,
    )?.[1]
    if (from === undefined) throw new Error(`${own} is not declared in ${path}`)
    return declaration(join(dirname(path), from), own, name)
  }
  const kind = at[1]!
  const rest = source.slice(at.index)
  const text = readers[kind]!(rest)
  return {
    name,
    doc: docBefore(source.slice(0, at.index)),
    text: text.replace(`${kind} ${own}`, `${kind} ${name}`).replace(/^export /, ''),
  }
}

/** Up to the body: the first brace at the depth of the declaration that begins a line's end and no type. */
function signature(text: string): string {
  const end = /\)(: [^\n]*?)? \{$/m.exec(text)
  if (end === null) throw new Error(`no body: ${text.slice(0, 80)}`)
  return text.slice(0, end.index + end[0].length - 2).replace(/^export (async )?/, '')
}

/** The head of a class, and its public fields and methods with what is said of them in one line. */
function classHead(text: string): string {
  const end = text.indexOf('\n}')
  const [head = '', ...body] = text.slice(0, end).split('\n')
  const members = body.flatMap((line, i) => {
    const member =
      /^ {2}(?!private|static|protected|constructor)(?:override )?((?:get |readonly )?\w+(?:[?!]?:|\().*)$/.exec(line)
    if (member === null) return []
    const doc = body[i - 1] ?? ''
    const whole = member[1]!.replace(/ \{$/, '')
    const shown = /^[\w ]+\(/.test(whole) ? whole : whole.replace(/ = .*$/, '')
    return [...(/^ {2}\/\*\* .*\*\/$/.test(doc) ? [doc] : []), `  ${shown}`]
  })
  return `${head}\n${members.join('\n')}\n}`.replace(/^export /, '')
}

/** What is worked out is not shown. */
function constant(text: string): string {
  const whole = statement(text)
  return whole.includes('\n') ? whole.slice(0, whole.indexOf(' = ')) : whole
}

/** Its first line, with those after it that are indented, blank in braces, or close them. */
function statement(text: string): string {
  const lines = text.split('\n')
  let open = 0
  const end = lines.findIndex((line, i) => {
    if (i > 0 && open === 0 && !/^(?:\s+\S|[\]})>])/.test(line)) return true
    open += (line.match(/[{[(]/g) ?? []).length - (line.match(/[}\])]/g) ?? []).length
    return false
  })
  return lines
    .slice(0, end < 0 ? undefined : end)
    .join('\n')
    .trim()
    .replace(/^export /, '')
}

/** A comment with a blank line after it is of the file. */
function docBefore(text: string): string {
  const doc = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n$/.exec(text)?.[1]
  if (doc === undefined) return ''
  const lines = doc.split('\n').map(line => line.replace(/^\s*\* ?/, '').trimEnd())
  return tagged(lines.join('\n').trim())
}

/** `@throws`, `@param` and `@returns` as words. */
function tagged(text: string): string {
  return text
    .replace(/\n*^@throws\s+/gm, '\n\nThrows: ')
    .replace(/\n*^@param (\w+)\s+/gm, '\n\n`$1`: ')
    .replace(/\n*^@returns\s+/gm, '\n\nReturns: ')
    .replace(/\n*^@typeParam (\w+)\s+/gm, '\n\n`$1`: ')
    .replace(/\s*@throws\s+/g, ' Throws: ')
    .trim()
}

/** What is shown of a declaration, by its kind. */
const readers: Record<string, (text: string) => string> = {
  ...{ function: signature, 'function*': signature, class: classHead, const: constant },
  ...{ interface: statement, type: statement },
}
