/** Who sent how much to whom, as values. */
import type { Count } from './figures.ts'
import type { Going } from './running.ts'

export type LinkMeasure = 'bytes' | 'packets' | 'records'

export interface LinkOptions extends Going {
  measure: LinkMeasure
  /** Sources, ports and destinations that stand for themselves. */
  top: number
  /** Hosts and networks of the graph of hosts that do, and links of it that are listed. */
  hosts: number
  networks: number
  links: number
  /** Networks whose largest hosts stand for themselves too, as `10.0.0.0/24`. */
  open: readonly string[]
}

/** What stands at the end of a link: one of them, several in one, or what has none. */
export type End =
  | { host: string }
  | { port: number }
  | { network: string; hosts: number }
  | { others: number }
  | { none: true }

/** By numbers of the ends. `value` is that of the records that say it; `unsaid` do not. */
export interface Link {
  from: number
  to: number
  records: number
  value: Count
  unsaid: number
}

export interface Links {
  total: Omit<Link, 'from' | 'to'>
  /** From sources to ports, and on to destinations. */
  sources: End[]
  ports: End[]
  destinations: End[]
  sent: Link[]
  received: Link[]
  /** Between hosts. */
  nodes: End[]
  between: Link[]
  /** Links between hosts that are not listed. */
  left: Omit<Link, 'from' | 'to'> & { links: number }
}
