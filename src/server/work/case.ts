/** The case as a whole, and its filter language. */
import { completedIn } from '../../filter/context.ts'
import { FilterError } from '../../filter/error.ts'
import { print } from '../../filter/print.ts'
import { swapped } from '../../filter/swapped.ts'
import { flowsMeaning } from '../../flows/explain.ts'
import { ledgerOverview } from '../../overview/overview.ts'
import type { Case } from '../../store/case.ts'
import { type PulledFacts, pulledTime, pulledWords } from '../../store/pulled.ts'
import { version } from '../../version.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type {
  CaseAnswer,
  CompleteAnswer,
  CompleteAsk,
  ExplainAnswer,
  ExplainAsk,
  SwapAnswer,
  WrongFilter,
} from '../contract/case.ts'
import { pageFilter } from '../window-filter.ts'

type OfThePage = Pick<CaseAnswer, 'demo' | 'internal'>

/** Of cases that are open, which do not change: every page asks, and thousands of files are gone through. */
const held = new WeakMap<Case, Omit<CaseAnswer, keyof OfThePage>>()

async function caseAnswer(c: Case, { demo, internal }: OfThePage): Promise<CaseAnswer> {
  const known = held.get(c) ?? heldBy(c)
  held.set(c, known)
  return { ...known, demo, internal }
}

function heldBy(c: Case): Omit<CaseAnswer, keyof OfThePage> {
  const { kinds, records_total, skip_data, no_data, malformed, unread_files, pulled, ...rest } = ledgerOverview(c)
  return {
    ...rest,
    pulled: pulled === null ? null : partOf(pulled),
    ...{ tool: { name: 'Tidemark', version: version() }, head: c.head, records: { total: records_total } },
    gaps: { skip_data, no_data, malformed, unread_files },
    columns: [...c.columns],
    captures: kinds.filter(({ kind }) => /pcap|capture/.test(kind)).reduce((sum, { files }) => sum + files, 0),
  }
}

function partOf(pulled: PulledFacts): NonNullable<CaseAnswer['pulled']> {
  const { table, filter, records, records_of_table } = pulled
  const words = { what: pulledWords(pulled), time: pulledTime(pulled) }
  return { table, ...words, hasDossier: filter === null, records, records_of_table }
}

/** Frequent values of columns, of cases that are open. */
const frequent = new WeakMap<Case, Map<string, Promise<readonly string[]>>>()

async function completeAnswer(
  c: Case,
  { text, cursor }: CompleteAsk,
  { signal }: WorkContext,
): Promise<CompleteAnswer> {
  const known = frequent.get(c) ?? new Map<string, Promise<readonly string[]>>()
  frequent.set(c, known)
  // Values are looked up once for all, and that goes on when who typed the first letter no longer waits.
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  )
  return Promise.race([completedIn(c, text, cursor, known), stopped])
}

async function explainAnswer(c: Case, asked: ExplainAsk, context: WorkContext): Promise<ExplainAnswer | WrongFilter> {
  try {
    return await explained(c, asked, context)
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    const { message, hint, offset, length } = error
    return { wrong: { error: message, ...(hint !== undefined && { hint }), at: { offset, length } } }
  }
}

async function explained(c: Case, asked: ExplainAsk, { signal }: WorkContext): Promise<ExplainAnswer> {
  const request = { filter: asked.filter, raw: asked.raw, internal: asked.own }
  const { sentence, sql, notes } = await flowsMeaning(c, request, { signal, files: false })
  const printed = asked.filter.trim() === '' ? '' : print(pageFilter(c, asked.filter).ast)
  return { sentence, sql, notes, printed, command: flowsCommand(c, request) }
}

async function swapAnswer(c: Case, { filter }: { filter: string }): Promise<SwapAnswer> {
  const other = swapped(pageFilter(c, filter).ast)
  return { filter: other === null ? null : print(other) }
}

export const caseWork: Readonly<Record<string, Answerer<Case>>> = {
  case: caseAnswer,
  complete: completeAnswer,
  explain: explainAnswer,
  swap: swapAnswer,
}
