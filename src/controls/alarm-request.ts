/** What alarms are asked for. */
import type { ServiceRow } from '../investigate/dossier.ts'
import type { Prefix } from '../net/prefix.ts'

export interface AlarmRequest {
  /** The hosts to protect. */
  hosts: readonly Prefix[]
  /** Whose attack it was. */
  subject: readonly Prefix[]
  /** From its first record to its last one, microseconds. */
  incident: { from_us: number; to_us: number }
  approvedPorts: readonly number[]
  /** The services of the attack, each with its id (`S2`). */
  services: readonly (Pick<ServiceRow, 'server' | 'client' | 'port' | 'outcome' | 'findings'> & { id: string })[]
  /** Addresses whose sessions of administration are no surprise; by default those that held some before the incident. */
  administrators?: readonly string[]
}
