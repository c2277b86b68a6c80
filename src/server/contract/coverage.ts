/** When which sensor recorded: `POST /api/coverage`. Of the whole log, whatever is filtered. */
import type { CountedMap, CountedSensor } from '../../investigate/mapped-time.ts'
import type { Asked, Window } from './common.ts'

export type { CountedMap, CountedSensor }

export interface CoverageAsk {
  /** What the timeline shows: bins begin at `from` or up to a bin before. */
  zoom: Window
  /** Most bins and sensors: up to 400, and up to 500. */
  bins: number
  sensors: number
}

export interface CoverageAnswer {
  map: CountedMap
  /** What is in no bin of the map. */
  beside: Beside
  asked: Asked
}

export interface Beside {
  /** Records without a time. */
  untimed: number
  /** Lines that could not be read, in `malformed_files` files. */
  malformed: number
  malformed_files: number
  /** Files of which nothing, or not all, was read: the first of `unread_total`. */
  unread: { path: string; problem: string }[]
  unread_total: number
}
