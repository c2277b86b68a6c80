/** Which finding types of Amazon GuardDuty an incident would raise (Amazon GuardDuty User Guide, "EC2 finding types"). */
import type { CaseRule } from '../rules/rule.ts'
import type { AlarmRequest } from './alarm-request.ts'
import type { KnownService } from './protected.ts'

/** When GuardDuty raises a type, beyond what the rule of the same kind asks. */
interface Condition {
  /** The service is on one of these ports. */
  ports?: readonly number[]
  /** `own`: an instance of one's own did it; `outside`: it was done to one. */
  by?: 'own' | 'outside'
  /** What these records cannot tell, and GuardDuty asks. */
  only?: string
}

const conditions: Readonly<Record<string, Condition>> = {
  'UnauthorizedAccess:EC2/SSHBruteForce': { ports: [22] },
  'UnauthorizedAccess:EC2/RDPBruteForce': { ports: [3389] },
  'Impact:EC2/WinRMBruteForce': { ports: [5985, 5986], by: 'own' },
  'Recon:EC2/Portscan': { by: 'own' },
  'Impact:EC2/PortSweep': { by: 'own' },
  'Recon:EC2/PortProbeUnprotectedPort': { by: 'outside', only: 'if the address is one of its known scanners' },
  'Behavior:EC2/NetworkPortUnusual': { by: 'own', only: 'if the port is new to the instance' },
  'Behavior:EC2/TrafficVolumeUnusual': { by: 'own', only: 'if the volume is new to the instance' },
  'Backdoor:EC2/C&CActivity.B': { by: 'own', only: 'if the address is on its list of command servers' },
  'Backdoor:EC2/Spambot': { by: 'own', ports: [25] },
  'Backdoor:EC2/DenialOfService.Dns': { by: 'own', ports: [53] },
  'Backdoor:EC2/DenialOfService.Tcp': { by: 'own' },
  'Backdoor:EC2/DenialOfService.Udp': { by: 'own' },
  'CryptoCurrency:EC2/BitcoinTool.B': { by: 'own', only: 'if the address is one of a known pool' },
  'Trojan:EC2/BlackholeTraffic': { by: 'own', only: 'if the address is a known black hole' },
  'Trojan:EC2/DNSDataExfiltration': { by: 'own', only: 'if the names were asked of the Amazon resolver' },
  'UnauthorizedAccess:EC2/MaliciousIPCaller.Custom': { only: 'if the address is on your threat list in it' },
  'UnauthorizedAccess:EC2/TorClient': { by: 'own', only: 'if the address is a Tor entry' },
  'UnauthorizedAccess:EC2/TorIPCaller': { by: 'outside', only: 'if the address is a Tor exit' },
  'UnauthorizedAccess:EC2/MetadataDNSRebind': {
    by: 'own',
    only: 'if a name was made to point at the metadata service',
  },
  'Execution:Runtime/ReverseShell': { by: 'own', only: 'with Runtime Monitoring on the instance' },
}

export interface RaisedType {
  type: string
  /** Findings that it would tell of. */
  findings: string[]
  /** Null: nothing but what the records show. */
  only: string | null
}

const unusualPort = 'Behavior:EC2/NetworkPortUnusual'

/** What GuardDuty is asked about. */
export interface Incident extends Pick<AlarmRequest, 'approvedPorts'> {
  services: readonly KnownService[]
  /** Texts of the protected addresses. */
  hosts: ReadonlySet<string>
}

/** The types that the findings on the services of an incident would raise, in the order of the services. */
export function raisedTypes({ services, approvedPorts, hosts }: Incident, rules: readonly CaseRule[]): RaisedType[] {
  const typesOf = new Map(rules.flatMap(rule => namesOf(rule).map(name => [name, rule.guardDuty] as const)))
  const raised = new Map<string, RaisedType>()
  const raise = (type: string, id: string): void => {
    const one = raised.get(type) ?? { type, findings: [], only: conditions[type]?.only ?? null }
    if (!one.findings.includes(id)) one.findings.push(id)
    raised.set(type, one)
  }
  for (const service of services) {
    const { server, port } = service
    // Whatever the finding is, the instance called a port that it has no business with.
    const isOdd = !hosts.has(server) && port !== null && !approvedPorts.includes(port)
    for (const { id, rule } of service.findings) {
      const own = services.filter(one => one.findings.some(finding => finding.id === id))
      for (const type of typesOf.get(rule) ?? []) {
        // A finding that speaks of other ports too is of these: a guess at the web, say, and the session after it.
        const condition = conditions[type] ?? {}
        if (own.every(one => isOnPort(one, condition)) && isBy(service, condition, hosts)) raise(type, id)
      }
      if (isOdd) raise(unusualPort, id)
    }
  }
  return [...raised.values()]
}

/** As findings of a case, and those of a dossier, name it. */
function namesOf({ name, ofSubject }: CaseRule): string[] {
  return ofSubject?.name === undefined ? [name] : [name, ofSubject.name]
}

function isOnPort({ port }: KnownService, { ports }: Condition): boolean {
  return ports === undefined || (port !== null && ports.includes(port))
}

/** A service that is none of the hosts' is one that they called. */
function isBy({ server }: KnownService, { by }: Condition, hosts: ReadonlySet<string>): boolean {
  return by === undefined || (by === 'outside') === hosts.has(server)
}
