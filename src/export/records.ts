/** The flow records of a case, one after the other, as the sensors wrote them. */
import { setImmediate } from 'node:timers/promises'
import type { EnrichmentOptions } from '../enrich/enrichment.ts'
import { parse } from '../filter/filter.ts'
import { readWithin } from '../filter/within.ts'
import type { Counting, FlowsColumn, FlowsRequest, FlowsResult } from '../flows/request.ts'
import { queryFlows } from '../flows/run.ts'
import type { Case } from '../store/case.ts'
import type { Addresses } from './addresses.ts'
import type { ExportedRecord } from './items.ts'

export interface RecordsAsked {
  filter?: string
  /** Whether the filter may name files; no, for a filter from elsewhere. */
  files?: boolean
  from_us?: number
  to_us?: number
  internal?: string[]
  enrichment?: EnrichmentOptions
  signal?: AbortSignal
}

/** What is asked, before its rows are read. */
export interface RecordsFound {
  columns: readonly FlowsColumn[]
  counting: Counting
  notes: readonly string[]
  enrichment_problems: FlowsResult['enrichment']['problems']
  /** Gives the records in the order of the evidence. @param settle waits until what was given has been written. */
  each(give: (record: ExportedRecord) => void, settle: () => Promise<void>): Promise<void>
}

/** Records that are given between two moments at which others get their turn. */
const turnAfter = 10_000

/** Asks for the records that begin in a time and meet a filter. @throws UserError, FilterError as `queryFlows`. */
export async function askRecords(c: Case, asked: RecordsAsked, addresses: Addresses): Promise<RecordsFound> {
  const { filter: text = '', files = true, internal, enrichment, signal } = asked
  const filter = readWithin(parse(text, { columns: c.columns, files }), asked)
  const request: FlowsRequest = { filter, raw: true, limit: null, ...(internal && { internal }) }
  const result: FlowsResult = await queryFlows(c, request, {
    ...(enrichment && { enrichment }),
    ...(signal && { signal }),
  })
  const { columns, counting, notes } = result
  return {
    ...{ columns, counting, notes, enrichment_problems: result.enrichment.problems },
    each: async (give, settle) => {
      let given = 0
      for await (const row of result.rows()) {
        give(addresses.areChanged ? named(row, columns, addresses) : row)
        if (++given % turnAfter > 0) continue
        await settle()
        await setImmediate()
        signal?.throwIfAborted()
      }
    },
  }
}

function named(row: ExportedRecord, columns: readonly FlowsColumn[], addresses: Addresses): ExportedRecord {
  const out: ExportedRecord = {}
  for (const { name, type } of columns) {
    const cell = row[name] ?? null
    if (typeof cell !== 'string' || type === 'time' || type === 'integer') out[name] = cell
    else out[name] = type === 'address' ? addresses.address(cell) : addresses.text(cell)
  }
  return out
}
