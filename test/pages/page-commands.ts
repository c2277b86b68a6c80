/**
 * The commands that a page shows, in order: blocks of `sh`, blocks of `console` with their output, and code that begins with a
 * program's name in tables and sentences. HTML comments, which no reader sees, say the rest:
 *
 *   <!-- setup: COMMAND -->   is run here and not shown
 *   <!-- not run: REASON -->  the next block is not run
 *   <!-- status: 3 -->        what the commands of the next block end with
 */

export interface PageStep {
  /** Of the page, from 1. */
  line: number
  script: string
  /** What it prints, if the page shows that. */
  output: string | null
  /** What `tidemark` may end with. */
  status: number
  notRun: string | null
}

/** Programs whose commands are run where they stand in a table or a sentence. */
const programs = ['tidemark', 'zcat', 'zgrep', 'nfdump', 'ls', 'awk']

/** What runs until it is stopped. */
const withoutEnd = /^tidemark (ui|watch)\b/
const endless = 'runs until it is stopped; test/cli/ui.test.ts and test/watch do it'

const placeholder = /…|[ /](ADDRESS|CAPTURE|COMMAND|DIR|FILE|FILTER|NAME|OUT|PATH|TABLE|TOPIC)\b/

export function stepsOf(markdown: string): PageStep[] {
  const steps: PageStep[] = []
  const lines = markdown.split('\n')
  let notRun: string | null = null
  let status = 0
  for (let i = 0; i < lines.length; i++) {
    const text = lines[i]!
    const [, key, value] = /^<!-- (setup|not run|status): (.*) -->$/.exec(text) ?? []
    if (key === 'setup') steps.push({ line: i + 1, script: value!, output: null, status: 0, notRun: null })
    if (key === 'not run') notRun = value!
    if (key === 'status') status = Number(value)
    const [, language] = /^```(\w*)$/.exec(text) ?? []
    if (language === undefined) {
      for (const script of codeOf(text))
        steps.push({ line: i + 1, script, output: null, status: 0, notRun: withoutEnd.test(script) ? endless : null })
      continue
    }
    const end = lines.indexOf('```', i + 1)
    const inside = lines.slice(i + 1, end)
    if (language === 'sh') steps.push({ line: i + 2, script: inside.join('\n'), output: null, status, notRun })
    if (language === 'console') steps.push(...dialogue(inside, i + 2, status, notRun))
    if (language === 'sh' || language === 'console') [notRun, status] = [null, 0]
    i = end
  }
  return steps
}

/** Commands in a line of text or a row of a table. What stands for something else (FILE, …) cannot be run; in a sentence, a command alone is its name. */
function codeOf(text: string): string[] {
  const isRow = text.startsWith('|')
  const spans = [...text.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, code]) => code!.replaceAll('\\|', '|'))
  return spans.filter(
    code =>
      programs.some(name => code.startsWith(`${name} `)) &&
      !placeholder.test(code) &&
      (isRow || !/^tidemark \w+$/.test(code)),
  )
}

function dialogue(lines: readonly string[], line: number, status: number, notRun: string | null): PageStep[] {
  const steps: PageStep[] = []
  for (const [i, text] of lines.entries()) {
    const last = steps.at(-1)
    if (text.startsWith('$ ')) steps.push({ line: line + i, script: text.slice(2), output: '', status, notRun })
    else if (last !== undefined && last.output === '' && text.startsWith('> ')) last.script += `\n${text.slice(2)}`
    else if (last !== undefined) last.output += `${text}\n`
  }
  return steps
}

/** The page with what the commands printed, in the place of what it shows. */
export function withOutputs(markdown: string, printed: ReadonlyMap<number, string>): string {
  const lines = markdown.split('\n')
  for (const { line, script, output } of stepsOf(markdown).reverse()) {
    const text = printed.get(line)
    if (output === null || text === undefined) continue
    const at = line - 1 + script.split('\n').length
    lines.splice(at, linesIn(output), ...text.split('\n').slice(0, linesIn(text)))
  }
  return lines.join('\n')
}

function linesIn(text: string): number {
  return text.split('\n').length - 1
}
