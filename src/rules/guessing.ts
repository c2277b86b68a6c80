/** Connections that look like guesses at a log-in, as the rules for them see these. */
import { outcome, type Run } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { spreadOf } from './numbers.ts'

/** Ports where people log in. */
export const loginPorts: readonly number[] = [21, 22, 23, 902, 1433, 2222, 3306, 3389, 5432, 5900, 5985, 5986]

/** Thresholds that tell a guess, each with its reason: of one source and of many. */
export const guessLimits = {
  packetsMin: [4, 'client packets of a guess: below, nothing was said after the handshake'],
  packetsMax: [60, 'median client packets of the guesses: more is work, not a log-in'],
  medianPacketsMin: [8, "median packets of the client: fewer are no log-in (nmap's guesses have 10 to 14)"],
  spreadMax: [0.15, "median absolute deviation of bytes by their median, of either side (nmap's ssh-brute: 0.022)"],
  shortSeconds: [120, 'how long a guess lasts at most (the grace time of OpenSSH)'],
  alikeShare: [0.25, 'how far client bytes of a guess may be from the median of all short connections, by it'],
} as const

/** What the rules for guesses decide by alike. */
interface Limits {
  shortSeconds: number
  packetsMin: number
  packetsMax: number
  medianPacketsMin: number
  alikeShare: number
  spreadMax: number
}

/** Connections that look like guesses. */
export interface Guessing {
  client: Run
  some: number[]
  isSlow: boolean
  most: number
  packets: { median: number; deviation: number }
  bytes: { median: number; deviation: number }
  answers: { median: number; deviation: number }
}

/**
 * Answered connections of a service that may be short, in order of time: as a rule all records of an interface and interval share their times,
 * so that a moment lasts for an interval.
 */
export function shortOnes({ connections, interval_us }: CaseEvidence, { from, to }: Run, limits: Limits): number[] {
  const short: number[] = []
  const most_us = limits.shortSeconds * 1e6 + interval_us
  for (let i = from; i < to; i++) {
    const isShort = connections.end_us[i]! - connections.start_us[i]! <= most_us
    if (connections.outcome[i] === outcome.answered && isShort && connections.packetsUp[i]! >= limits.packetsMin)
      short.push(i)
  }
  return short
}

export function alikeOnes(bytes: Float64Array, short: readonly number[], limits: Limits): number[] {
  const typical = spreadOf(short.map(i => bytes[i]!)).median
  return short.filter(i => Math.abs(bytes[i]! - typical) <= typical * limits.alikeShare)
}

/** The most of them that lie within a window. */
export function mostWithin({ connections }: CaseEvidence, some: readonly number[], window_us: number): number[] {
  let [first, best, length] = [0, 0, 0]
  for (let last = 0; last < some.length; last++) {
    while (connections.start_us[some[last]!]! - connections.start_us[some[first]!]! > window_us) first++
    if (last - first + 1 > length) [best, length] = [first, last - first + 1]
  }
  return some.slice(best, best + length)
}

export function measured(
  { connections }: CaseEvidence,
  client: Run,
  some: number[],
  most: number,
  isSlow: boolean,
): Guessing {
  const of = (column: Float64Array) => spreadOf(some.map(i => column[i]!))
  return {
    ...{ client, some, isSlow, most, packets: of(connections.packetsUp) },
    ...{ bytes: of(connections.bytesUp), answers: of(connections.bytesDown) },
  }
}

/** @param leadSpreadMax the spread of client bytes alone, where the port is one of ordinary programs. */
export function isAlike({ packets, bytes, answers }: Guessing, limits: Limits, leadSpreadMax?: number): boolean {
  const spread = bytes.deviation / bytes.median
  if (packets.median < limits.medianPacketsMin || packets.median > limits.packetsMax) return false
  if (leadSpreadMax !== undefined) return spread <= leadSpreadMax
  return spread <= limits.spreadMax && answers.deviation / answers.median <= limits.spreadMax
}

export function counterHypotheses(isLead: boolean): string[] {
  return [
    'a scanner of your own (detect --scanner)',
    'a health check or poller that asks the same again and again',
    isLead
      ? 'a program that loads many similar pages: flow records do not show the requests'
      : 'automation that logs in often (backup, configuration management)',
    'many users behind one address',
  ]
}
