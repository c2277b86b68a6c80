/**
 * Findings in the form of GuardDuty's `get-findings`, for programs that read that. They are Tidemark's: the type, the ARN, the service's name
 * and an extra field say so.
 *
 * Source: AWS, GuardDuty API reference, "Finding".
 */
import { protocolName } from '../net/protocols.ts'
import type { Severity } from '../rules/finding.ts'
import { isFour } from './finding-hosts.ts'
import type { ExportContext, ExportedFinding, FindingHost, LeftOut, Printer } from './items.ts'
import { jsonText, known } from './json-text.ts'
import { ownNamespace, uuidOf } from './uuid.ts'

const said = 'Made by Tidemark from recorded flows. Amazon GuardDuty has not raised it.'

/** GuardDuty's numbers: low 1 to 3.9, medium 4 to 6.9, high 7 to 8.9. */
const severityOf: Record<Severity, number> = { info: 1, low: 2, medium: 5, high: 8 }

export function guardDutyPrinter(context: ExportContext): Printer {
  let before = ''
  return {
    begin: () => `{"Note":${jsonText(said)},"Findings":[\n`,
    end: () => '\n]}\n',
    finding: finding => {
      const shown = findingOf(finding, context)
      if ('left' in shown) return shown
      const text = before + jsonText(shown)
      before = ',\n'
      return text
    },
  }
}

function findingOf(finding: ExportedFinding, context: ExportContext): object | LeftOut {
  const { id, rule, title, summary, first_start, last_end, connections, basis_total } = finding
  if (first_start === null || last_end === null) return { left: 'no time' }
  const name = uuidOf(ownNamespace, `finding ${context.key} ${id} ${rule} ${first_start}`)
  return {
    ...{ SchemaVersion: '2.0', Id: name.replaceAll('-', ''), Arn: `urn:tidemark:finding:${name}` },
    ...{ AccountId: 'unknown', Region: 'unknown', Partition: 'aws', Type: `Tidemark:EC2/${rule}` },
    ...{ Title: `[Tidemark] ${title}`, Description: `${summary} (${said})` },
    ...{ Severity: severityOf[finding.severity], CreatedAt: last_end, UpdatedAt: last_end },
    Resource: resourceOf(finding),
    Service: {
      ...{ ServiceName: 'tidemark', Archived: false, Count: connections ?? basis_total },
      ...{ EventFirstSeen: first_start, EventLastSeen: last_end, ...actionOf(finding) },
      ResourceRole: roleOf(finding),
      AdditionalInfo: { Type: 'tidemark', Value: jsonText(moreOf(finding, context)) },
    },
  }
}

function moreOf(finding: ExportedFinding, { version }: ExportContext): object {
  const { rule, confidence, technique, scores, counter_hypotheses, would_change, guardduty_types, basis } = finding
  return known({
    ...{ made_by: `Tidemark ${version}`, note: said, finding: finding.id, rule, confidence, technique, scores },
    ...{ verdict: finding.verdict, comments: finding.comments },
    ...{ counter_hypotheses, would_change, corresponding_guardduty_types: guardduty_types, basis, sql: finding.sql },
    ...{ subject_total: finding.subject_total, peers_total: finding.peers_total },
  })
}

/** The own host of a finding, and the other one; null where there are several, or none is ours. */
function ownAndOther({ subject, peers }: ExportedFinding): { own: FindingHost | null; other: FindingHost | null } {
  const only = (some: readonly FindingHost[]): FindingHost | null => (some.length === 1 ? some[0]! : null)
  const [mine, theirs] = [only(subject), only(peers)]
  if (mine?.internal) return { own: mine, other: theirs }
  return theirs?.internal ? { own: theirs, other: mine } : { own: null, other: mine ?? theirs }
}

function resourceOf(finding: ExportedFinding): object {
  const { own } = ownAndOther(finding)
  const hosts = own !== null ? [own] : [...finding.subject, ...finding.peers].filter(({ internal }) => internal)
  return {
    ResourceType: 'Instance',
    InstanceDetails: {
      NetworkInterfaces: hosts
        .slice(0, 100)
        .map(({ address }) => (isFour(address) ? { PrivateIpAddress: address } : { Ipv6Addresses: [address] })),
    },
  }
}

function roleOf(finding: ExportedFinding): 'ACTOR' | 'TARGET' {
  const { own } = ownAndOther(finding)
  return own !== null && own.part === 'acts' ? 'ACTOR' : 'TARGET'
}

function actionOf(finding: ExportedFinding): object {
  const { own, other } = ownAndOther(finding)
  if (other === null) return {}
  const protocol = finding.protocol === null ? null : protocolName(finding.protocol)
  const isClient = own !== null && finding.pairs.some(({ client }) => client === own.address)
  const isServer = own !== null && finding.pairs.some(({ server }) => server === own.address)
  const isOut = isClient && !isServer
  const ports = known({ Port: finding.port })
  return {
    Action: {
      ActionType: 'NETWORK_CONNECTION',
      NetworkConnectionAction: known({
        ConnectionDirection: isClient === isServer ? 'UNKNOWN' : isOut ? 'OUTBOUND' : 'INBOUND',
        Protocol: protocol,
        RemoteIpDetails: isFour(other.address) ? { IpAddressV4: other.address } : { IpAddressV6: other.address },
        LocalIpDetails:
          own === null ? null : isFour(own.address) ? { IpAddressV4: own.address } : { IpAddressV6: own.address },
        RemotePortDetails: isOut ? ports : null,
        LocalPortDetails: isServer && !isClient ? ports : null,
      }),
    },
  }
}
