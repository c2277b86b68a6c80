/**
 * What the overview and the page of hosts show: figures over a window, and series over time.
 *
 * A record is of the second in which it begins. Volumes are counted as `tidemark flows` counts them: of accepted records, what several
 * sensors saw once, unless the view is raw.
 */
import type { Asked, Count, ViewAsk, Window } from './common.ts'
import type { JobState } from './events.ts'

/** What a timeline sums up. */
export type Measure = 'bytes' | 'packets' | 'records'

/** What it stacks: the largest server ports, accepted over rejected, or what internal hosts sent over what they received. */
export type Stack = 'ports' | 'actions' | 'ways'

/** `POST /api/view`: the timeline of a filter, and its totals. */
export interface TimelineAsk {
  view: ViewAsk
  /** What the timeline shows. */
  zoom: Window
  measure: Measure
  stack: Stack
}

export interface Totals {
  records: Count
  /** Null where the records have no action. */
  rejected: Count
  bytes: Count
  packets: Count
  /** Matching records that others stand for; not in `records`. */
  collapsed: Count
  /** Records of which it cannot be told whether they match. */
  unknown: Count
  /** Of the records that are summed up those that do not say how many bytes or packets. */
  unsummed: Count
  /** Of the records those that do not say when they began; in no window. Null in a window. */
  untimed: Count
}

/** Values of consecutive bins: bin `i` is of the records that begin from `from + i * width` on, for `width` seconds. */
export interface Bins {
  from: number
  width: number
}

/** What a layer is of: a port by number (null: records without one), or a word. */
export type LayerKey =
  | { port: number | null }
  | 'other ports'
  | 'accepted'
  | 'rejected'
  | 'sent'
  | 'received'
  | 'neither way'

export interface Layer {
  key: LayerKey
  values: Count[]
}

/** The index is being made: ask again when the job is done. */
export interface Building {
  building: JobState
}

export interface TimelineAnswer {
  building?: undefined
  /** First and last second in which a record of the case begins; null where none has a time. */
  span: { first: number; last: number } | null
  /** Of all records that match, and of all of the case. */
  totals: Totals
  whole: Totals
  /** What the timeline shows; null where no record has a time. */
  series: (Bins & { layers: Layer[] }) | null
  /** The whole case in the same bins; null where the filter leaves nothing out. */
  outline: Count[] | null
  /** The largest server ports of the whole case by bytes: what keeps its colour whatever is filtered. */
  ports: (number | null)[]
  /** All of the time, for the strip below: what matches, and the whole case. */
  strip: (Bins & { values: Count[]; whole: Count[] }) | null
}

/** `POST /api/range`: the panels of a window. */
export interface RangeAsk {
  view: ViewAsk
  window: Window
  /** What rows are ranked by. */
  order: Order
  /** Most rows of each panel. */
  top: number
  /** Whether hosts are worked out in full where the kept totals do not prove them. */
  complete: boolean
}

export type Order = 'bytes' | 'records'

export interface Volume {
  records: Count
  /** Null where the records have no action. */
  rejected: Count
  /** Null where none says. */
  bytes: Count
}

export type HostRow = Volume & {
  /** Null: records without an address. A record is of both its ends. */
  host: string | null
  sent: Count
  received: Count
}
/** The server's port by number: the lower one; null: of protocols without ports, or not known. */
export type PortRow = Volume & { port: number | null }
export type SensorRow = Volume & { sensor: string | null }
export type ActionRow = Volume & { action: string | null }
export type ProtocolRow = Volume & { protocol: number | null; name: string }

export interface Ranked<Row> {
  rows: Row[]
  /** Rows that there are; null: not known until it is worked out in full. */
  of: Count
  /** Whether the rows are proven to be the first ones. */
  exact: boolean
}

export interface RangeAnswer {
  building?: undefined
  window: Window
  totals: Totals
  hosts: Ranked<HostRow>
  ports: Ranked<PortRow>
  sensors: Ranked<SensorRow>
  actions: Ranked<ActionRow>
  protocols: Ranked<ProtocolRow>
}

/** `POST /api/hosts`: hosts in an order of their own. */
export interface HostsAsk {
  view: ViewAsk
  window: Window
  order: HostsOrder
  top: number
}

export type HostsOrder = Order | 'sent' | 'received'

export interface HostsAnswer extends Ranked<HostRow & { internal: boolean | null }> {
  building?: undefined
  totals: Totals
}

/** `POST /api/panels`: the commands whose figures the panels have. */
export interface PanelsAsk {
  view: ViewAsk
  window: Window
  order: Order
  top: number
}

/** `sent` and `received` are of hosts by one of their ends. */
export type PanelName = 'totals' | 'hosts' | 'sent' | 'received' | 'ports' | 'sensors' | 'actions' | 'protocols'

export type PanelsAnswer = Record<PanelName, Asked>

/** `POST /api/why`: where nothing matches, how many records would without a term. */
export interface WhyAsk {
  view: ViewAsk
  window: Window
}

export interface WhyAnswer {
  terms: {
    /** `dst port 8889`, as it is printed; null: the window. */
    term: string | null
    /** The filter without it. */
    filter: string
    /** What matches then; and what it matches alone, in all of the time. */
    records: Count
    alone: Count
  }[]
}

/** `POST /api/judged {own}`: whether who connected to whom was worked out; `POST /api/judge {own}` starts the job that does it. */
export interface JudgedAnswer {
  judged: boolean
  /** How long it may take. */
  seconds: number
}

/** `POST /api/services`: who served what, as judged of the connections; judges them if that was not done. */
export interface ServicesAsk {
  view: ViewAsk
  window: Window
  order: Order
  top: number
}

/** `ports`: those on which IANA registers the service of that name; none where the name says its port. */
export type ServiceRow = Volume & { service: string | null; ports: readonly number[] }

export interface ServicesAnswer extends Ranked<ServiceRow> {
  asked: Asked
}

/** `GET /api/gaps`: where something is missing from the logs. */
export interface GapsAnswer {
  gaps: {
    /** `skip-data`, …, as a dossier names it. */
    kind: string
    sensor: string | null
    /** Seconds since 1970; null: not known when. */
    from: number | null
    to: number | null
    says: string
  }[]
  /** How many more there are. */
  left: number
}
