/** Internal hosts that speak in the logs of others, and whose own interfaces wrote none. */
import { formatAddress, isIPv4 } from '../net/address.ts'
import { parsePrefix, prefixContains } from '../net/prefix.ts'
import { noHost, type RecordBlock } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'

export interface Unseen {
  /** In the order of their addresses. */
  addresses: string[]
  /** Networks of theirs, of 256 addresses (of IPv6 /64), in which no host with a log of its own is. */
  networks: string[]
}

/** Pairs of ends that are kept to find the own addresses of interfaces: of one, and of all together. */
const [sampleOfOne, sampleOfAll] = [4096, 1 << 22]

/** Of one interface. */
const addressesMax = 50

/** Networks of a machine alone, and services of AWS that have no interface. */
const local = ['169.254.0.0/16', '127.0.0.0/8', 'fe80::/10', '::1'].map(text => parsePrefix(text)!)

/** REJECT, as `RecordBlock.action` has it. */
const rejected = 2

/**
 * The internal hosts that sent accepted traffic, and that no interface with a log is. An interface's own addresses are those that its first records
 * have in common; where these fit two hosts alike, both are taken to have a log. Null where no record names its interface.
 */
export async function unseenHosts(index: RecordIndex, isInternal: (host: number) => boolean): Promise<Unseen | null> {
  const { hosts, vantages } = index.dictionaries
  const isInterface = Uint8Array.from(vantages, ({ sensor }) => (sensor?.startsWith('eni-') === true ? 1 : 0))
  if (!isInterface.includes(1)) return null
  const samples = new Samples(vantages.length, hosts.count)
  const hasSent = new Uint8Array(hosts.count)
  for await (const block of index.blocks([
    'source',
    'destination',
    'sourceSeen',
    'destinationSeen',
    'vantage',
    'action',
  ])) {
    const { rows, action } = block
    const source = block.sourceSeen ?? block.source
    for (let row = 0; row < rows; row++) if (action[row] !== rejected) hasSent[source[row]!] = 1
    samples.note(block)
  }
  const isSeen = new Uint8Array(hosts.count)
  for (const [vantage, is] of isInterface.entries())
    if (is === 1) for (const host of samples.ownOf(vantage, isInternal)) isSeen[host] = 1
  const seenNetworks = new Set<string>()
  const [addresses, networks] = [[] as string[], new Set<string>()]
  for (let host = 0; host < hosts.count; host++) {
    const address = { hi: hosts.hi[host]!, lo: hosts.lo[host]! }
    if (isSeen[host] === 1) seenNetworks.add(networkOf(address))
    else if (hasSent[host] === 1 && isInternal(host) && !local.some(one => prefixContains(one, address))) {
      addresses.push(formatAddress(address.hi, address.lo))
      networks.add(networkOf(address))
    }
  }
  return { addresses, networks: [...networks].filter(network => !seenNetworks.has(network)) }
}

function networkOf(address: { hi: bigint; lo: bigint }): string {
  const text = formatAddress(address.hi, address.lo)
  return parsePrefix(`${text}/${isIPv4(address) ? 24 : 64}`)!.text
}

/** The ends of the first records of each vantage. */
class Samples {
  private readonly size: number
  private readonly pairs: Uint32Array
  private readonly counts: Uint32Array
  /** By host: zero between the questions. */
  private readonly tally: Uint32Array

  constructor(vantages: number, hosts: number) {
    this.tally = new Uint32Array(hosts)
    this.size = Math.max(1, Math.min(sampleOfOne, Math.floor(sampleOfAll / vantages)))
    this.pairs = new Uint32Array(2 * this.size * vantages)
    this.counts = new Uint32Array(vantages)
  }

  note({ rows, vantage, source, destination, sourceSeen, destinationSeen }: RecordBlock): void {
    const { size, pairs, counts } = this
    const [from, to] = [sourceSeen ?? source, destinationSeen ?? destination]
    for (let row = 0; row < rows; row++) {
      const one = vantage[row]!
      const count = counts[one]!
      if (count === size) continue
      const at = 2 * (one * size + count)
      pairs[at] = from[row]!
      pairs[at + 1] = to[row]!
      counts[one] = count + 1
    }
  }

  /** The fewest internal hosts of which each record has one, by greed: the one with the most records first, and any other with as many. */
  ownOf(vantage: number, isInternal: (host: number) => boolean): number[] {
    const { pairs, size, tally } = this
    const own: number[] = []
    const first = 2 * vantage * size
    const isEnd = (host: number): boolean => host !== noHost && isInternal(host)
    let left: number[] = []
    for (let at = first; at < first + 2 * this.counts[vantage]!; at += 2)
      if (isEnd(pairs[at]!) || isEnd(pairs[at + 1]!)) left.push(at)
    // AWS: an interface has at most 50 addresses; one that forwards for others has more ends, and they are not its own.
    for (let step = 0; step < addressesMax && left.length > 0; step++) {
      const ends: number[] = []
      const add = (host: number): void => {
        if (isEnd(host) && tally[host]!++ === 0) ends.push(host)
      }
      for (const at of left) {
        add(pairs[at]!)
        if (pairs[at + 1] !== pairs[at]) add(pairs[at + 1]!)
      }
      const most = ends.reduce((max, host) => Math.max(max, tally[host]!), 0)
      const isFound = (host: number): boolean => tally[host] === most
      own.push(...ends.filter(isFound))
      left = left.filter(at => !isFound(pairs[at]!) && !isFound(pairs[at + 1]!))
      for (const host of ends) tally[host] = 0
    }
    return own
  }
}
