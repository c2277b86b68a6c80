/** The situation as recommendations read it. */
import { intervalOf } from '../conversations/intervals.ts'
import type { Enrichment } from '../enrich/enrichment.ts'
import { standardPorts } from '../investigate/services.ts'
import { parsePrefix } from '../net/prefix.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { KnownService, ProtectedTraffic } from './protected.ts'
import type { Situation } from './situation.ts'
import { isOfAttack, type Piece } from './traffic.ts'

export function protectedTraffic(
  source: EvidenceKind,
  index: RecordIndex,
  { dossier, traffic, interfaces, hasSizes }: Situation,
  files: Pick<Enrichment, 'awsService'>,
  approvedPorts: readonly number[],
): ProtectedTraffic {
  const { hosts, protected: isProtected, marks, pieces } = traffic
  const { hi, lo } = hosts
  return {
    pieces,
    isProtected: host => isProtected[host] === 1,
    subjects: dossier.subject.map(text => parsePrefix(text)!),
    address: host => ({ hi: hi[host]!, lo: lo[host]! }),
    isInternal: host => marks.internal[host] === 1,
    awsService: host => {
      const found = files.awsService(hi[host]!, lo[host]!)
      return found === null ? null : { service: found.service, region: found.region }
    },
    placeOf: host => interfaces.get(host) ?? { interface: null, subnet: null, vpc: null },
    hasSizes,
    interval_us: intervalOf(source, index.dictionaries.vantages),
    isApproved: standardPorts(approvedPorts),
    incident: incidentIn(pieces),
    services: knownServices(dossier),
  }
}

/** When the attack was; null where no record tells. */
function incidentIn(pieces: readonly Piece[]): ProtectedTraffic['incident'] {
  let [from_us, to_us] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const { connections, attack } of pieces) {
    const { count, start_us, end_us } = connections
    for (let i = 0; i < count; i++) {
      if (!isOfAttack(attack[i]!) || !Number.isFinite(start_us[i]!)) continue
      from_us = Math.min(from_us, start_us[i]!)
      to_us = Math.max(to_us, end_us[i]!)
    }
  }
  return from_us > to_us ? null : { from_us, to_us }
}

/** Those that findings speak of: of a host of one's own there are thousands of others. */
function knownServices({ services, findings }: Situation['dossier']): KnownService[] {
  const rules = new Map(findings.map(({ id, rule }) => [id, rule]))
  return services.flatMap(({ server, port, protocol, findings: ids }, i) =>
    ids.length === 0
      ? []
      : [{ id: `S${i + 1}`, server, port, protocol, findings: ids.map(id => ({ id, rule: rules.get(id)! })) }],
  )
}
