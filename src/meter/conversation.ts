import { icmpCounterpart, isIcmp } from '../net/icmp.ts'
import { hasPorts } from '../net/protocols.ts'
import type { Packet } from '../packet/packet.ts'

/** Words of a conversation's key: two addresses, the ports, the rest. */
export const keyWords = 10

const oneWay = 1 << 24
const turned = 1 << 25
const noTransport = 1 << 26

/** Where the hash of a key lies, in words from its start. */
export const hashWord = 10

/**
 * Writes the key of the conversation that a packet belongs to, and its hash, to `words` from `at` on. Gives the direction:
 * 0 where the packet goes from the lower end to the higher, else 1.
 *
 * A key is what both directions of a conversation have in common. The lower end (address, then port, unsigned) comes
 * first. The words are the lower address, the higher address, their ports, and protocol, ICMP identifier and what tells
 * conversations apart that would share the rest:
 * - ICMP with a counterpart (echo and its like): the ports are type and counterpart, the code is of no account;
 * - ICMP without: the ports are type and code, and each direction is a conversation of its own, for an error of the one
 *   side does not answer the same error of the other;
 * - packets whose transport header is not in the capture: addresses and protocol only, apart from port 0.
 *
 * VLAN, tunnel, type of service and IP version are no part of it.
 */
export function writeKey(packet: Packet, words: Int32Array, at: number, keys: Int32Array): 0 | 1 {
  const { protocol } = packet
  let low = 0
  let high = 0
  let rest = protocol
  let ordered = false
  const known = packet.hasTransport || packet.fragment === 2
  if (known && hasPorts(protocol)) {
    low = packet.srcPort
    high = packet.dstPort
  } else if (known && isIcmp(protocol)) {
    const counterpart = icmpCounterpart(protocol, packet.icmpType)
    low = packet.icmpType
    high = counterpart < 0 ? packet.icmpCode : counterpart
    rest |= (packet.icmpId & 0xffff) << 8
    ordered = counterpart < 0
  } else if (hasPorts(protocol) || isIcmp(protocol)) rest |= noTransport
  const swap = compareEnds(packet, low, high) > 0
  if (ordered) rest |= swap ? oneWay | turned : oneWay
  const src = swap ? at + 4 : at
  const dst = swap ? at : at + 4
  words[src] = packet.src0
  words[src + 1] = packet.src1
  words[src + 2] = packet.src2
  words[src + 3] = packet.src3
  words[dst] = packet.dst0
  words[dst + 1] = packet.dst1
  words[dst + 2] = packet.dst2
  words[dst + 3] = packet.dst3
  words[at + 8] = swap ? (high << 16) | low : (low << 16) | high
  words[at + 9] = rest
  words[at + hashWord] = hashOf(words, at, keys)
  return swap ? 1 : 0
}

/** Orders the ends of a packet: source and its port against destination and its port, unsigned. */
function compareEnds(p: Packet, srcPort: number, dstPort: number): number {
  if (p.src0 !== p.dst0) return (p.src0 >>> 0) - (p.dst0 >>> 0)
  if (p.src1 !== p.dst1) return (p.src1 >>> 0) - (p.dst1 >>> 0)
  if (p.src2 !== p.dst2) return (p.src2 >>> 0) - (p.dst2 >>> 0)
  if (p.src3 !== p.dst3) return (p.src3 >>> 0) - (p.dst3 >>> 0)
  return srcPort - dstPort
}

/** Multiplies each word into the sum by a key of its own, so that who does not know the keys cannot make words collide. */
function hashOf(words: Int32Array, at: number, keys: Int32Array): number {
  let h = keys[keyWords]!
  const upper = words[at]! | words[at + 1]! | words[at + 4]! | words[at + 5]!
  if (upper !== 0 || words[at + 2] !== 0xffff || words[at + 6] !== 0xffff) {
    h = mix(h, words[at]!, keys[0]!)
    h = mix(h, words[at + 1]!, keys[1]!)
    h = mix(h, words[at + 2]!, keys[2]!)
    h = mix(h, words[at + 4]!, keys[4]!)
    h = mix(h, words[at + 5]!, keys[5]!)
    h = mix(h, words[at + 6]!, keys[6]!)
  }
  h = mix(h, words[at + 3]!, keys[3]!)
  h = mix(h, words[at + 7]!, keys[7]!)
  h = mix(h, words[at + 8]!, keys[8]!)
  h = mix(h, words[at + 9]!, keys[9]!)
  h = Math.imul(h, keys[keyWords + 1]!)
  return h ^ (h >>> 16)
}

function mix(h: number, word: number, key: number): number {
  const x = Math.imul(h ^ word, key)
  return x ^ (x >>> 15)
}

/** Keys that nobody knows beforehand: a capture that someone made must not be able to fill one place of a table. */
export function randomKeys(): Int32Array {
  return Int32Array.from({ length: keyWords + 2 }, () => Math.floor(Math.random() * 2 ** 32) | 1)
}

/** Keys that are the same in every thread. */
const shardKeys = Int32Array.from({ length: keyWords + 2 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) | 1)
const shardKey = new Int32Array(keyWords + 1)

/**
 * The shard, from 0, that meters this packet, of `shards` that share the work: every packet of a conversation has the
 * same, and every thread and run gives it the same.
 */
export function shardOf(packet: Packet, shards: number): number {
  if (shards === 1) return 0
  writeKey(packet, shardKey, 0, shardKeys)
  return Math.floor(((shardKey[hashWord]! >>> 0) * shards) / 2 ** 32)
}
