import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { errorCode, errorText, UserError } from '../errors.ts'
import type { Block, Column, Row } from '../report/block.ts'
import type { PageOptions } from '../report/terminal-page.ts'
import { systemFailure } from '../system-error.ts'
import type { Pager } from './pager.ts'

/** Readers that went away (`tidemark … | head`), by stream: there is nobody left to tell. */
const closed = new Set<NodeJS.WriteStream>()

for (const stream of [process.stdout, process.stderr]) {
  // Without a listener a closed pipe would end the process in the middle of its work; `write` deals with it.
  stream.on('error', () => {})
}

/** Writes to standard output; resolves once the text has left the process. */
export function print(text: string): Promise<void> {
  return printAsIs(text.endsWith('\n') ? text : `${text}\n`)
}

/** The pager of this run: standard output goes through it from its start to its end. */
let pager: Pager | null = null

/** Shows what is printed from here on page by page, where standard output is a terminal and nobody asked for none. Notes follow it. */
export async function usePager(wanted: boolean): Promise<void> {
  if (!wanted || pager !== null || !process.stdout.isTTY) return
  const { pagerCommand, startPager } = await import('./pager.ts')
  const command = pagerCommand(process.env)
  if (command !== null) pager = await startPager(command, text => write(process.stdout, text))
}

/** Waits until the pager is left. */
async function leavePager(): Promise<void> {
  const last = pager
  await last?.close()
  pager = null
  for (const text of held.splice(0)) await write(process.stderr, `${text}\n`)
}

/** Notes that came while the pager was at work, to be written when it is left. */
const held: string[] = []

/** Lays a page out for standard output and writes it. `color` is false with `--no-color`. */
export async function printPage(page: readonly Block[], color: boolean): Promise<void> {
  const { terminalText } = await import('../report/terminal.ts')
  await print(terminalText(page, outputStyle(color)))
}

/** Begins a table on standard output whose rows are printed as they come. */
export async function startTable(
  columns: readonly Column[],
  color: boolean,
): Promise<{ rows(rows: readonly Row[]): Promise<void>; end(below: readonly Block[]): Promise<void> }> {
  const [{ TablePrinter }, { newPage }] = await Promise.all([
    import('../report/terminal-table.ts'),
    import('../report/terminal-page.ts'),
  ])
  const printer = new TablePrinter(newPage(outputStyle(color)), columns)
  return {
    rows: rows => print(printer.lines(rows).join('\n')),
    end: async below => {
      await print([...printer.end(), ''].join('\n'))
      await printPage(below, color)
    },
  }
}

/** The same, without a line end where the text has none: a part of more. */
export function printAsIs(text: string): Promise<void> {
  return pager === null ? write(process.stdout, text) : pager.write(text)
}

const batchBytes = 1 << 16

/** Prints what `line` makes of items, in pieces of some size: a write for each would take most of the time. Ends where nobody reads on. */
export async function printLines<Item>(items: AsyncIterable<Item>, line: (item: Item) => string): Promise<void> {
  let text = ''
  for await (const item of items) {
    text += line(item)
    if (text.length < batchBytes) continue
    await printAsIs(text)
    text = ''
    if (outputIsGone()) return
  }
  if (text !== '') await printAsIs(text)
}

/** Writes to standard error: progress, warnings and failures; after what the pager shows. */
export async function note(text: string): Promise<void> {
  await leavePager()
  await write(process.stderr, text.endsWith('\n') ? text : `${text}\n`)
}

/** A note in the middle of the work. A line of progress that may stand there goes first, and is drawn again below; a pager is not ended. */
export async function noteBeside(text: string): Promise<void> {
  if (pager !== null) held.push(text)
  else await note(`${progressTerminal() === null ? '' : '\r\x1b[K'}${text}`)
}

/** Writes as it is, for commander, which brings its own line ends and does not wait. */
export function printNow(text: string): void {
  write(process.stdout, text).catch(error => {
    untold = error
  })
}

/** What `printNow` failed with. */
let untold: unknown = null

/** Whether whoever read standard output has had enough, as `head`: more need not be worked out. */
export function outputIsGone(): boolean {
  return pager === null ? closed.has(process.stdout) : pager.isGone()
}

/** Resolves when everything written so far has left the process. */
export async function flush(): Promise<void> {
  if (untold !== null) throw untold
  await leavePager()
  await Promise.all([write(process.stdout, ''), write(process.stderr, '')])
}

async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (closed.has(stream)) return
  const error = await (stream instanceof Socket
    ? new Promise<Error | null | undefined>(resolve => stream.write(text, resolve))
    : writeToFile(stream === process.stdout ? 1 : 2, text))
  if (!error) return
  // Told once: what comes after is lost too.
  closed.add(stream)
  if (!['EPIPE', 'ERR_STREAM_DESTROYED'].includes(errorCode(error) ?? '')) throw outputError(stream, error)
}

/** Writes all of a text: Node's stream of a file takes a part of it for the whole, as of a disk that fills up. @returns what it failed with. */
function writeToFile(fd: number, text: string): Error | null {
  const bytes = Buffer.from(text)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    return null
  } catch (error) {
    return error as Error
  }
}

function outputError(stream: NodeJS.WriteStream, error: Error): UserError {
  const which = stream === process.stdout ? 'standard output' : 'standard error'
  return new UserError(`cannot write to ${which}: ${systemFailure(error)?.message ?? errorText(error)}`, {
    hint: 'the output is incomplete: send it somewhere else, or free some space there',
    cause: error,
  })
}

/** Standard error, where it is a terminal that a progress bar can be drawn on; else null. */
export function progressTerminal(): NodeJS.WriteStream | null {
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? process.stderr : null
}

/** Standard input and output, where both are a terminal that a conversation can be held on; else null. */
export function conversation(): { input: NodeJS.ReadStream; output: NodeJS.WriteStream } | null {
  return process.stdin.isTTY && process.stdout.isTTY ? { input: process.stdin, output: process.stdout } : null
}

const unknownWidth = 100

/** Cells of a line of standard output. */
export function outputWidth(): number {
  const told = Number(process.env.COLUMNS)
  return process.stdout.columns || (Number.isInteger(told) && told > 0 ? told : unknownWidth)
}

/** Width and colour of standard output. `wanted` is false with `--no-color`. */
function outputStyle(wanted: boolean): PageOptions {
  return { width: outputWidth(), color: wanted && mayColor() }
}

// https://no-color.org and https://force-color.org: set and not empty. Who asks for none gets none.
function mayColor(): boolean {
  if (process.env.NO_COLOR) return false
  const force = process.env.FORCE_COLOR
  if (force) return force !== '0' && force !== 'false'
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb'
}
