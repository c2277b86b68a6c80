/**
 * The part of MITRE ATT&CK that rules may speak of, of one release: names and tactics as they stand there, none of it deprecated or revoked.
 *
 * Source: the STIX of Enterprise ATT&CK in github.com/mitre/cti at commit 421deacb77 ("ATT&CK v18.1 Enterprise"). A technique that is
 * missing is one line more, from the same release. ATT&CK is a trademark of The MITRE Corporation.
 */
export const attackRelease = '18.1'

/** By id: name, and its tactics. The name of a sub-technique begins with that of its technique, as ATT&CK shows it. */
const table = {
  T1008: ['Fallback Channels', 'command-and-control'],
  T1018: ['Remote System Discovery', 'discovery'],
  T1021: ['Remote Services', 'lateral-movement'],
  'T1021.001': ['Remote Services: Remote Desktop Protocol', 'lateral-movement'],
  'T1021.002': ['Remote Services: SMB/Windows Admin Shares', 'lateral-movement'],
  'T1021.004': ['Remote Services: SSH', 'lateral-movement'],
  'T1021.006': ['Remote Services: Windows Remote Management', 'lateral-movement'],
  T1029: ['Scheduled Transfer', 'exfiltration'],
  T1030: ['Data Transfer Size Limits', 'exfiltration'],
  T1041: ['Exfiltration Over C2 Channel', 'exfiltration'],
  T1046: ['Network Service Discovery', 'discovery'],
  T1048: ['Exfiltration Over Alternative Protocol', 'exfiltration'],
  T1059: ['Command and Scripting Interpreter', 'execution'],
  T1071: ['Application Layer Protocol', 'command-and-control'],
  'T1071.001': ['Application Layer Protocol: Web Protocols', 'command-and-control'],
  'T1071.003': ['Application Layer Protocol: Mail Protocols', 'command-and-control'],
  'T1071.004': ['Application Layer Protocol: DNS', 'command-and-control'],
  'T1074.002': ['Data Staged: Remote Data Staging', 'collection'],
  T1078: ['Valid Accounts', 'defense-evasion persistence privilege-escalation initial-access'],
  T1090: ['Proxy', 'command-and-control'],
  'T1090.003': ['Proxy: Multi-hop Proxy', 'command-and-control'],
  T1095: ['Non-Application Layer Protocol', 'command-and-control'],
  T1105: ['Ingress Tool Transfer', 'command-and-control'],
  T1110: ['Brute Force', 'credential-access'],
  'T1110.001': ['Brute Force: Password Guessing', 'credential-access'],
  'T1110.003': ['Brute Force: Password Spraying', 'credential-access'],
  T1133: ['External Remote Services', 'persistence initial-access'],
  T1190: ['Exploit Public-Facing Application', 'initial-access'],
  T1210: ['Exploitation of Remote Services', 'lateral-movement'],
  T1219: ['Remote Access Tools', 'command-and-control'],
  T1496: ['Resource Hijacking', 'impact'],
  'T1496.001': ['Resource Hijacking: Compute Hijacking', 'impact'],
  T1498: ['Network Denial of Service', 'impact'],
  'T1498.001': ['Network Denial of Service: Direct Network Flood', 'impact'],
  'T1498.002': ['Network Denial of Service: Reflection Amplification', 'impact'],
  T1499: ['Endpoint Denial of Service', 'impact'],
  'T1499.001': ['Endpoint Denial of Service: OS Exhaustion Flood', 'impact'],
  'T1499.002': ['Endpoint Denial of Service: Service Exhaustion Flood', 'impact'],
  T1537: ['Transfer Data to Cloud Account', 'exfiltration'],
  'T1552.005': ['Unsecured Credentials: Cloud Instance Metadata API', 'credential-access'],
  'T1562.007': ['Impair Defenses: Disable or Modify Cloud Firewall', 'defense-evasion'],
  T1567: ['Exfiltration Over Web Service', 'exfiltration'],
  T1570: ['Lateral Tool Transfer', 'lateral-movement'],
  T1571: ['Non-Standard Port', 'command-and-control'],
  T1572: ['Protocol Tunneling', 'command-and-control'],
  T1573: ['Encrypted Channel', 'command-and-control'],
  T1595: ['Active Scanning', 'reconnaissance'],
  'T1595.001': ['Active Scanning: Scanning IP Blocks', 'reconnaissance'],
  'T1595.002': ['Active Scanning: Vulnerability Scanning', 'reconnaissance'],
} as const

export type TechniqueId = keyof typeof table

/** A technique of ATT&CK. */
export interface Technique {
  id: string
  name: string
}

export interface KnownTechnique extends Technique {
  tactics: string[]
}

/** Null where the table does not have it. */
export function knownTechnique(id: string): KnownTechnique | null {
  if (!Object.hasOwn(table, id)) return null
  const [name, tactics] = table[id as TechniqueId]
  return { id, name, tactics: tactics.split(' ') }
}

/** What a rule says of the techniques that it may name. */
export function techniques(...ids: TechniqueId[]): Technique[] {
  return ids.map(id => ({ id, name: table[id][0] }))
}

/** What a finding says of its technique. */
export function technique(id: TechniqueId): { technique: TechniqueId; technique_name: string } {
  return { technique: id, technique_name: table[id][0] }
}
