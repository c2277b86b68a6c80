/** Answers: packets carved out of captures into files, for the server to offer. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type CarveReport, carve } from '../../carve/carve.ts'
import { UserError } from '../../errors.ts'
import type { CorrelationRow } from '../../investigate/dossier.ts'
import { investigate } from '../../investigate/investigate.ts'
import { serviceFilter } from '../../investigate/service-filter.ts'
import { parsePrefix } from '../../net/prefix.ts'
import { microsecondsOf, utcSeconds } from '../../net/time.ts'
import { whyWords } from '../../report/correlation.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { carveCommand } from '../command-line.ts'
import type { FindingPackets, PacketsFile, PacketsFileAsk } from '../contract/files.ts'
import { pageFilter } from '../window-filter.ts'

interface ToPath {
  path: string
}

/** Times of flow logs are whole seconds, and may be late by the interval. */
const before_us = 60e6
const after_us = 1e6

/** Carves the packets of a filter into a file. @throws UserError where there is none, FilterError. */
export async function carvedTo(
  c: Case,
  filter: string,
  { path, own }: ToPath & { own: string[] },
  { signal, progress }: WorkContext,
): Promise<CarveReport> {
  pageFilter(c, filter)
  const internal = own.flatMap(text => parsePrefix(text) ?? [])
  const report = await carve(c, {
    ...{ wanted: { kind: 'filter', text: filter }, out: path, internal, signal },
    onProgress: (done, of) => progress({ doing: 'reading captures', done, of }),
  })
  if (report.carved === 0)
    throw new UserError('the captures have no packet of these records', {
      hint: 'the filter asks the records that captures made: what only logs have, such as action, is not known of packets',
      status: 2,
    })
  return report
}

async function packetsFile(
  c: Case,
  asked: PacketsFileAsk & ToPath,
  context: WorkContext,
): Promise<Omit<PacketsFile, 'id' | 'name' | 'bytes'>> {
  const { of, own, name, path } = asked
  const { filter, connections } =
    'filter' in of ? { filter: of.filter, connections: null } : await ofFinding(c, of, own, context)
  const { carved, cut } = await carvedTo(c, filter, asked, context)
  const command = carveCommand(c, filter, name, own)
  return { packets: carved, cut, command, connections, sha256: await digestOf(path) }
}

/** The finding's services in its time by the clock of the captures, and how many connections these are. */
async function ofFinding(
  c: Case,
  finding: FindingPackets,
  own: string[],
  { signal, progress }: WorkContext,
): Promise<{ filter: string; connections: PacketsFile['connections'] }> {
  progress({ doing: 'comparing its connections with the captures', done: null, of: null })
  const { services, first_start, last_end } = finding
  const sides = (['client', 'server'] as const).map(side => [...new Set(services.map(one => one[side]))])
  const subjects = sides[0]!.length <= sides[1]!.length ? sides[0]! : sides[1]!
  const found = await investigate(c, subjects, { internal: own, rules: [], servicesMax: 1, signal })
  const offset = (found.correlation_summary?.clock_offset.seconds ?? 0) * 1e6
  const from = microsecondsOf(first_start) - offset - before_us
  const to = microsecondsOf(last_end) - offset + after_us
  const time = `between ${utcSeconds(whole(from))} and ${utcSeconds(whole(to))}`
  return {
    filter: `${serviceFilter(services)} and ${time}`,
    connections:
      found.correlation_summary === null || found.correlation_summary.listed > found.correlation.length
        ? null
        : countsOf(found.correlation, finding),
  }
}

function whole(microseconds: number): number {
  return Math.floor(microseconds / 1e6) * 1e6
}

/** Of the connections of the services that were under way in the time of the finding. */
function countsOf(
  rows: readonly CorrelationRow[],
  { services, first_start, last_end }: FindingPackets,
): NonNullable<PacketsFile['connections']> {
  const wanted = new Set(services.map(one => [one.client, one.server, one.port, one.protocol].join(' ')))
  const isOf = ({ client, server, client_port, server_port, protocol }: CorrelationRow): boolean =>
    wanted.has([client, server, server_port, protocol].join(' ')) ||
    wanted.has([server, client, client_port, protocol].join(' '))
  const [from, to] = [microsecondsOf(first_start), microsecondsOf(last_end)]
  const inTime = ({ log }: CorrelationRow): boolean =>
    log !== null &&
    (log.first === null || microsecondsOf(log.first) <= to) &&
    (log.last === null || microsecondsOf(log.last) >= from)
  const own = rows.filter(row => inTime(row) && isOf(row))
  const without = new Map<string, number>()
  for (const { capture, reason } of own)
    if (capture === null) {
      const why = whyWords(reason ?? '')
      without.set(why, (without.get(why) ?? 0) + 1)
    }
  return {
    total: own.length,
    captured: own.filter(({ capture }) => capture !== null).length,
    without: [...without].map(([why, connections]) => ({ why, connections })),
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

export const packetFilesWork: Readonly<Record<string, Answerer<Case>>> = { 'packets-file': packetsFile }
