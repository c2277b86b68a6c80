/** When clients came to servers: their answered connections, by client and in order of time. */
import { outcome } from '../conversations/connections.ts'
import { TCP } from '../net/protocols.ts'
import { rememberedByHost } from './by-host.ts'
import { type ProtectedTraffic, textOf } from './protected.ts'

/** Columns of connections, those of a client in one run. */
export interface Arrivals {
  /** When each begins, microseconds. */
  at_us: Float64Array
  /** The piece of each, and its number there. */
  piece: Uint32Array
  connection: Uint32Array
  /** In the order of their numbers. */
  clients: ClientArrivals[]
}

export interface ClientArrivals {
  client: number
  isAttack: boolean
  /** Its run: [from, to). */
  from: number
  to: number
}

/** Of TCP, with the ports of some servers, as far as a time is known. @param servers their addresses. */
export function arrivalsOf(traffic: ProtectedTraffic, servers: readonly string[], ports: readonly number[]): Arrivals {
  const isPort = new Uint8Array(0x1_0000)
  for (const port of ports) isPort[port] = 1
  const isServer = rememberedByHost(host => Number(servers.includes(textOf(traffic, host))))
  const all: Columns = { client: [], at_us: [], piece: [], connection: [] }
  for (const [piece, { connections }] of traffic.pieces.entries()) {
    const { count, client, protocol, port, server, start_us } = connections
    for (let i = 0; i < count; i++) {
      if (isPort[port[i]!] !== 1 || protocol[i] !== TCP || connections.outcome[i] !== outcome.answered) continue
      if (isServer(server[i]!) === 0 || !Number.isFinite(start_us[i]!)) continue
      all.client.push(client[i]!)
      all.at_us.push(start_us[i]!)
      all.piece.push(piece)
      all.connection.push(i)
    }
  }
  const { client, at_us, piece, connection } = inOrder(all)
  return {
    at_us: Float64Array.from(at_us),
    piece: Uint32Array.from(piece),
    connection: Uint32Array.from(connection),
    clients: runsOf(traffic, client, { piece, connection }),
  }
}

type Columns = Record<'client' | 'at_us' | 'piece' | 'connection', number[]>

/** In that of client and time. As connections are kept they are in it but for clients of several servers and ports. */
function inOrder(all: Columns): Columns {
  const { client, at_us } = all
  const compare = (a: number, b: number): number => client[a]! - client[b]! || at_us[a]! - at_us[b]! || a - b
  let isOrdered = true
  for (let i = 1; i < client.length && isOrdered; i++) isOrdered = compare(i - 1, i) < 0
  if (isOrdered) return all
  const order = Uint32Array.from(client.keys()).sort(compare)
  const sorted = (column: readonly number[]): number[] => Array.from(order, i => column[i]!)
  return { client: sorted(client), at_us: sorted(at_us), piece: sorted(all.piece), connection: sorted(all.connection) }
}

function runsOf(
  { pieces }: ProtectedTraffic,
  client: readonly number[],
  { piece, connection }: Pick<Columns, 'piece' | 'connection'>,
): ClientArrivals[] {
  const runs: ClientArrivals[] = []
  let run: ClientArrivals | null = null
  for (let i = 0; i < client.length; i++) {
    if (run === null || run.client !== client[i]) {
      run = { client: client[i]!, isAttack: false, from: i, to: i }
      runs.push(run)
    }
    run.to = i + 1
    if (pieces[piece[i]!]!.attack[connection[i]!] === 1) run.isAttack = true
  }
  return runs
}

/** Of each arrival of a client how many lie within the window that ends with it: those later than its beginning, up to the arrival itself. */
export function eachWindow(
  { at_us }: Arrivals,
  { from, to }: ClientArrivals,
  window: number,
  told: (count: number, arrival: number) => void,
): void {
  let first = from
  for (let i = from; i < to; i++) {
    while (at_us[first]! <= at_us[i]! - window * 1e6) first++
    told(i - first + 1, i)
  }
}
