/** What the query's process is asked and answers: one JSON object a line, each way. */
import { z } from 'zod'

export const request = z.object({
  sql: z.string(),
  /** Rows that are wanted. */
  rows_max: z.number(),
  /** Bytes of rows, as they are sent. */
  bytes_max: z.number(),
  milliseconds_max: z.number(),
  /** Instead of rows: how the query would be run. */
  explain: z.boolean(),
})

export const failure = z.object({
  /** `query`: of the text; `memory`, `time`: a limit; `case`: the case cannot be read. */
  kind: z.enum(['query', 'memory', 'time', 'case', 'fault']),
  message: z.string(),
  hint: z.string().optional(),
  suggestion: z.string().optional(),
  /** Place in the UTF-8 text of the query. */
  position: z.number().int().nonnegative().optional(),
})

export const ending = z.object({
  /** Rows of the whole result; null when they were not all counted. */
  total: z.number().nullable(),
  /** Rows that were counted. */
  counted: z.number(),
  cut_by: z.enum(['rows', 'bytes']).nullable(),
})

export const answer = z.union([
  z.object({ ready: z.record(z.string(), z.array(z.string())) }),
  z.object({ columns: z.array(z.object({ name: z.string(), type: z.string() })) }),
  z.object({ rows: z.array(z.array(z.unknown())) }),
  z.object({ plan: z.string() }),
  z.object({ end: ending }),
  z.object({ error: failure }),
])

export type Request = z.infer<typeof request>
export type Failure = z.infer<typeof failure>
export type Ending = z.infer<typeof ending>
export type Answer = z.infer<typeof answer>
