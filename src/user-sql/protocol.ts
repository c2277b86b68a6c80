/** What the query's process is asked and answers: one JSON object a line, each way. */
import {
  anything,
  count,
  eitherOf,
  type Fitting,
  listOf,
  nullOr,
  number,
  objectOf,
  oneOf,
  recordOf,
  text,
  yesOrNo,
} from '../shape.ts'

export const request = objectOf({
  sql: text,
  /** Rows that are wanted. */
  rows_max: number,
  /** Bytes of rows, as they are sent. */
  bytes_max: number,
  milliseconds_max: number,
  /** Instead of rows: how the query would be run. */
  explain: yesOrNo,
})

const failure = objectOf(
  {
    /** `query`: of the text; `memory`, `time`: a limit; `case`: the case cannot be read. */
    kind: oneOf('query', 'memory', 'time', 'case', 'fault'),
    message: text,
  },
  {
    hint: text,
    suggestion: text,
    /** Place in the UTF-8 text of the query. */
    position: count,
  },
)

const ending = objectOf({
  /** Rows of the whole result; null when they were not all counted. */
  total: nullOr(number),
  /** Rows that were counted. */
  counted: number,
  cut_by: nullOr(oneOf('rows', 'bytes')),
})

export const answer = eitherOf(
  objectOf({ ready: recordOf(listOf(text)) }),
  objectOf({ columns: listOf(objectOf({ name: text, type: text })) }),
  objectOf({ rows: listOf(listOf(anything)) }),
  objectOf({ plan: text }),
  objectOf({ end: ending }),
  objectOf({ error: failure }),
)

export type Request = Fitting<typeof request>
export type Failure = Fitting<typeof failure>
export type Ending = Fitting<typeof ending>
export type Answer = Fitting<typeof answer>
