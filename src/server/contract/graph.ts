/** Who sent how much to whom, through which server's port: `POST /api/graph`. Links add up to the totals of the view in its window. */
import type { Links } from '../../timeline/link.ts'
import type { Asked, ViewAsk, Window } from './common.ts'
import type { Measure } from './view.ts'

export type { End, Link } from '../../timeline/link.ts'

export interface GraphAsk {
  view: ViewAsk
  window: Window
  measure: Measure
  /** Networks whose hosts are shown: `10.0.0.0/24`. */
  open: string[]
}

export interface GraphAnswer extends Links {
  building?: undefined
  /** Of `nodes`: whether it is internal; null for others, and for none. */
  internal: (boolean | null)[]
  asked: Asked
}
