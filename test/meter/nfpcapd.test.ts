// Flow records against nfpcapd 1.7.1, which Debian has in its package nfdump.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Meter } from '../../src/meter/meter.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { readCapture } from './captures.ts'
import { type CommonFlow, commonFlow, type NfpcapdRun, nfpcapdFlows, nfpcapdVersion, summed } from './nfpcapd.ts'

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'pcap')
const there = skipWithout(folder, 'nfpcapd', 'nfdump')
const version = there.skip === false ? nfpcapdVersion() : null
const skip = there.skip !== false ? there.skip : version === '1.7.1' ? false : `nfdump ${version}, not 1.7.1`

/** TIDEMARK_NFPCAPD=1 takes every capture, which is a minute's work; usually it is every fourth. */
const every = Number(process.env['TIDEMARK_NFPCAPD'] ?? 4)

/** What a capture has that the two are known to take differently. */
interface Facts {
  run: NfpcapdRun
  tunnels: boolean
  fragments: boolean
  cut: boolean
  zeroLength: boolean
  theirs: Map<string, CommonFlow>
}

/** Protocols that nfpcapd gives for the packet behind an IPv6 extension header: hop-by-hop, routing, fragment, AH, options. */
const extensions = ['0', '43', '44', '51', '60']

/** The name of a difference; docs/reference/metering.md tells of each. Empty where it has none. */
function classOf(facts: Facts, ours: CommonFlow | undefined, theirs: CommonFlow | undefined): string {
  const [protocol, src, , dst] = (ours ?? theirs)!.key.split(' ')
  const isV6 = src!.includes(':')
  if (facts.run.stops) return 'its library stops'
  if (protocol === '132') return 'SCTP ports'
  if (facts.tunnels || protocol === '47') return 'tunnels'
  if (facts.fragments) return 'fragments'
  const other = extensions.some(one => one === protocol || facts.theirs.has(`${one} ${src} 0 ${dst} 0`))
  if (isV6 && other) return 'IPv6 extension headers'
  if (facts.zeroLength) return 'length of 0'
  if (ours && theirs && ours.packets === theirs.packets && ours.bytes === theirs.bytes && ours.flags === theirs.flags) {
    return 'times out of order'
  }
  if (facts.run.skips) return 'packets it skips'
  if (facts.cut) return 'cut packets'
  return isV6 && protocol === '58' && (ours ?? theirs)!.bytes === 40 ? 'no ICMPv6 by the length' : ''
}

interface Outcome {
  captures: number
  keys: number
  same: number
  singly: number
  classes: Map<string, number>
  unexplained: string[]
}

const text = (f: CommonFlow | undefined) =>
  f === undefined ? 'none' : [f.packets, f.bytes, f.flags, f.first, f.last].join(' ')

async function compare(name: string, outcome: Outcome): Promise<void> {
  const path = join(folder!, name)
  const run = await nfpcapdFlows(path)
  if (run === null) return
  outcome.captures++
  const flows: CommonFlow[] = []
  const facts: Facts = {
    run,
    tunnels: false,
    fragments: false,
    cut: false,
    zeroLength: false,
    theirs: summed(run.flows),
  }
  const meter = new Meter({ flows: record => flows.push(commonFlow(record)) })
  const { accounts } = readCapture(path, packet => {
    facts.tunnels ||= packet.tunnel > 0
    facts.fragments ||= packet.fragment > 0
    facts.cut ||= packet.capturedLength < packet.wireLength
    meter.add(packet)
  })
  meter.finish()
  facts.zeroLength = accounts.lengthFromWire > 0
  const ours = summed(flows)
  for (const key of new Set([...ours.keys(), ...facts.theirs.keys()])) {
    outcome.keys++
    const [mine, other] = [ours.get(key), facts.theirs.get(key)]
    if (text(mine) === text(other)) {
      outcome.same++
      compareSingly(name, key, flows, run.flows, outcome)
    } else count(outcome, classOf(facts, mine, other), `${name} ${key}: ${text(mine)}, nfpcapd ${text(other)}`)
  }
}

/** Compares the records of a key one by one. */
function compareSingly(name: string, key: string, flows: CommonFlow[], others: CommonFlow[], outcome: Outcome): void {
  const of = (list: CommonFlow[]) => list.filter(flow => flow.key === key).sort((a, b) => a.first - b.first)
  const [mine, theirs] = [of(flows), of(others)]
  if (mine.map(text).join() === theirs.map(text).join()) {
    outcome.singly++
    return
  }
  count(
    outcome,
    `records: ${singleClassOf(key, mine, theirs)}`,
    `${name} ${key}: ${mine.map(text)}, nfpcapd ${theirs.map(text)}`,
  )
}

function singleClassOf(key: string, mine: CommonFlow[], theirs: CommonFlow[]): string {
  const [protocol, , srcPort, , dstPort] = key.split(' ')
  if (protocol === '1' || protocol === '58') return 'one for each ICMP packet'
  if (protocol === '17' && (srcPort === '53' || dstPort === '53')) return 'one for each DNS packet'
  if (mine.some(flow => flow.end === 'clock')) return 'time steps back'
  if (mine.some(flow => flow.end === 'reuse' || flow.end === 'closed')) return 'closed and used again'
  if (mine.some(flow => flow.end === 'idle' || flow.end === 'active') || theirs.length > 1)
    return 'its sweep for timeouts'
  return ''
}

function count(outcome: Outcome, name: string, line: string): void {
  outcome.classes.set(name, (outcome.classes.get(name) ?? 0) + 1)
  if (name === '' || name.endsWith(': ')) outcome.unexplained.push(line)
}

test('agrees with nfpcapd about packets, bytes, flags and times of every capture it can read', { skip }, async t => {
  const [, ...lines] = readFileSync(join(folder!, 'INDEX.csv'), 'utf8').trimEnd().split('\n')
  const names = lines.map(line => line.split(',')[0]!).filter((_, i) => i % every === 0)
  const outcome: Outcome = { captures: 0, keys: 0, same: 0, singly: 0, classes: new Map(), unexplained: [] }
  const next = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) await compare(name, outcome)
  }
  await Promise.all([next(), next(), next(), next()])
  t.diagnostic(
    `${outcome.captures} captures; ${outcome.same} of ${outcome.keys} directions agree, ${outcome.singly} record by record`,
  )
  for (const [name, number] of [...outcome.classes].sort((a, b) => b[1] - a[1])) t.diagnostic(`${number} ${name}`)
  assert.deepEqual(outcome.unexplained, [])
  assert.ok(
    outcome.captures > 400 / every && outcome.same > 1500 / every,
    `${outcome.captures} captures, ${outcome.same} directions`,
  )
})
