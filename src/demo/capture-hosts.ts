import { addressNumber } from './line-writer.ts'
import { ATTACKER, WEB_SERVER } from './network.ts'
import { Random } from './random.ts'

/** What a capture at the web server's interface shows of a host. */
export interface Host {
  /** 32 bits. */
  address: number
  /** Of the frame: its own in the same subnet, else the router's. */
  mac: Buffer
  /** As it arrives here. */
  time_to_live: number
  /** Microseconds there and back. */
  round_trip: number
}

export const LOCAL_MAC = Buffer.from('0af34c917e5b', 'hex')
export const ROUTER = '10.130.8.1'
/** Services of the network itself, whose traffic flow logs leave out. */
export const RESOLVER = '10.130.0.2'
export const TIME_SERVICE = '169.254.169.123'
export const METADATA_SERVICE = '169.254.169.254'
/** Where the monitoring host fetches the figures of the others. */
export const METRICS_PORT = 9100

const ROUTER_MAC = Buffer.from('0a1e8bd2063f', 'hex')
const SUBNET = '10.130.8.'

const ATTACKER_ROUND_TRIP = 31_400
const ATTACKER_HOPS = 17

/** The same host for the same address and seed. */
export function hostOf(address: string, seed: number): Host {
  const number = addressNumber(address)
  const random = new Random(seed, number)
  const at = (mac: Buffer, time_to_live: number, round_trip: number): Host => {
    return { address: number, mac, time_to_live, round_trip }
  }
  if (address === WEB_SERVER.address) return at(LOCAL_MAC, 64, 0)
  if (address === ROUTER) return at(ROUTER_MAC, 64, 180)
  if (address.startsWith(SUBNET)) return at(Buffer.from(`0a${random.hex(10)}`, 'hex'), 64, random.between(180, 420))
  if (address === RESOLVER || address.startsWith('169.254.')) return at(ROUTER_MAC, 255, random.between(150, 600))
  if (address.startsWith('10.')) return at(ROUTER_MAC, 64, random.between(300, 900))
  if (address === ATTACKER) return at(ROUTER_MAC, 64 - ATTACKER_HOPS, ATTACKER_ROUND_TRIP)
  const first = random.pick([64, 64, 64, 128, 128, 255])
  return at(ROUTER_MAC, first - random.between(7, 24), random.between(9_000, 70_000) + random.skewed(0, 130_000))
}

/** A number for the random sequence of a conversation or other named thing. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5 // FNV-1a
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash | 0x40000000
}
