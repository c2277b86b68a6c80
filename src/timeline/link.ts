/** Who sent how much to whom, as values. */

/** What stands at the end of a link: one of them, several in one, or what has none. */
export type End =
  | { host: string }
  | { port: number }
  | { network: string; hosts: number }
  | { others: number }
  | { none: true }

/** What some records sum up to; text where it passes 2^53. `value` is that of the records that say it; `unsaid` do not. */
export interface LinkSum {
  records: number
  value: number | string
  unsaid: number
}

/** By numbers of the ends. */
export interface Link extends LinkSum {
  from: number
  to: number
}

export interface Links {
  total: LinkSum
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
  left: LinkSum & { links: number }
}
