import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { visible } from '../report/text.ts'
import { completeSql } from '../user-sql/complete.ts'
import { functionsText, promptHelp, schemaText, tablesText } from '../user-sql/help.ts'
import { viewNames } from '../user-sql/schema.ts'
import type { QuerySession } from '../user-sql/session.ts'
import { isBlank, piecesOf, splitStatements } from '../user-sql/statements.ts'
import { describeFailure } from './failure.ts'
import { wrapHelp } from './help.ts'
import { note, outputWidth, print } from './output.ts'
import { historyFile, keepInHistory, readHistory } from './sql-history.ts'

type Answer = (sql: string, signal: AbortSignal) => Promise<void>

const first = 'tidemark> '
const next = '     ...> '

/** Holds the conversation until the user leaves. @throws UserError when the case cannot be read. */
export async function startPrompt(
  session: QuerySession,
  streams: { input: Readable; output: Writable },
  answer: Answer,
): Promise<void> {
  const columns = await session.columns()
  await print('SQL over the case, read-only. End a query with ; and see .help')
  const history = historyFile()
  const prompt = new Prompt(streams, columns, await readHistory(history), answer, statement =>
    keepInHistory(history, statement),
  )
  await prompt.run()
}

class Prompt {
  private readonly lines: Interface
  private readonly columns: Readonly<Record<string, readonly string[]>>
  private readonly answer: Answer
  private readonly keep: (statement: string) => Promise<void>
  /** Lines of the statement that is being written. */
  private written: string[] = []
  /** readline's own list, the last line first. */
  private past: string[]
  private running: AbortController | null = null

  constructor(
    { input, output }: { input: Readable; output: Writable },
    columns: Readonly<Record<string, readonly string[]>>,
    past: string[],
    answer: Answer,
    keep: (statement: string) => Promise<void>,
  ) {
    this.columns = columns
    this.answer = answer
    this.keep = keep
    this.past = past
    this.lines = createInterface({
      input,
      output,
      history: past,
      historySize: 1000,
      removeHistoryDuplicates: true,
      prompt: first,
      completer: (line: string) => this.complete(line),
    })
    this.lines.on('history', (all: string[]) => {
      this.past = all
    })
    this.lines.on('SIGINT', () => this.interrupt())
  }

  async run(): Promise<void> {
    this.lines.prompt()
    for await (const line of this.lines) {
      if (!(await this.take(line))) break
      this.lines.setPrompt(this.written.length === 0 ? first : next)
      this.lines.prompt()
    }
    this.lines.close()
    await print('')
  }

  /** Ctrl-C: stops the query that runs, or drops the statement that is being written. */
  private interrupt(): void {
    if (this.running !== null) {
      this.running.abort(new Error('stopped'))
      return
    }
    this.written = []
    this.lines.write(null, { ctrl: true, name: 'e' })
    this.lines.write(null, { ctrl: true, name: 'u' })
    this.lines.setPrompt(first)
    void print('').then(() => this.lines.prompt())
  }

  private complete(line: string): [string[], string] {
    const before = this.written.join('\n')
    return completeSql(before === '' ? line : `${before}\n${line}`, this.columns)
  }

  /** @returns false when the user leaves. */
  private async take(line: string): Promise<boolean> {
    if (this.written.length === 0 && /^\s*[.\\]/.test(line)) return this.command(line.trim())
    if (this.written.length === 0 && isBlank(line)) return true
    this.written.push(line)
    const { statements, rest } = splitStatements(this.written.join('\n'))
    if (statements.length === 0 && !isBlank(rest)) return true
    // What is not ended yet stays.
    const count = this.written.length
    this.written = isBlank(rest) ? [] : rest.split('\n')
    const whole = oneLine(statements.map(statement => `${statement};`).join(' '))
    if (this.past.length >= count) this.past.splice(0, count, whole)
    await this.keep(whole)
    for (const statement of statements) if (!(await this.ask(statement))) break
    return true
  }

  private async ask(sql: string): Promise<boolean> {
    this.running = new AbortController()
    const { signal } = this.running
    try {
      await this.answer(sql, signal)
      return true
    } catch (error) {
      await note(signal.aborted ? 'tidemark: stopped' : describeFailure(error, '.help').text)
      return false
    } finally {
      this.running = null
    }
  }

  private async command(line: string): Promise<boolean> {
    const [name = '', argument = ''] = line.split(/\s+/)
    if (['.quit', '.exit', '\\q'].includes(name)) return false
    if (['.tables', '.views'].includes(name) || (name === '\\d' && argument === '')) await printWrapped(tablesText())
    else if (name === '.schema' || name === '\\d') await this.schema(argument)
    else if (name === '.functions' || name === '\\df') await printWrapped(functionsText())
    else if (['.help', '\\?', '\\h'].includes(name)) await printWrapped(promptHelp)
    else await note(`tidemark: no such command: ${visible(name)}\n  hint: .help shows what there is`)
    return true
  }

  private async schema(name: string): Promise<void> {
    if (name === '') return printWrapped(viewNames.map(view => schemaText(view, this.columns[view])).join('\n\n'))
    const text = schemaText(name.replace(/;$/, ''), this.columns[name.toLowerCase()])
    await (text === null
      ? note(`tidemark: no such view: ${visible(name)}\n  hint: .tables shows what there is`)
      : printWrapped(text))
  }
}

/** In the width of the terminal. */
function printWrapped(text: string): Promise<void> {
  return print(wrapHelp(text, outputWidth()))
}

/** A statement as one line of history: comments to the end of a line would take the rest with them. */
function oneLine(statement: string): string {
  return piecesOf(statement)
    .map(piece => (piece.kind === 'comment' ? ' ' : piece.kind === 'space' ? ' ' : piece.text))
    .join('')
    .replaceAll('\n', ' ')
    .trim()
}
