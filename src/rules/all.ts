/** All rules, in the order of their numbers. */
import { icmpSweep } from './d01-icmp-sweep.ts'
import { scan } from './d01-scan.ts'
import { bruteForce } from './d02-brute-force.ts'
import { spray } from './d02-spray.ts'
import { beacon } from './d03-beacon.ts'
import { dataServed } from './d04-data-served.ts'
import { volume } from './d04-outbound-volume.ts'
import { fanOut } from './d05-admin-fan-out.ts'
import { hopChain } from './d05-hop-chain.ts'
import { listed } from './d06-address-list.ts'
import { flips } from './d07-rejected-then-accepted.ts'
import { sessions } from './d08-long-session.ts'
import { ports } from './d09-non-standard-port.ts'
import { firstContact } from './d10-first-contact.ts'
import { newPeer } from './d10-first-seen-peer.ts'
import { tunnel } from './d11-dns-tunnel.ts'
import { resolver } from './d11-new-resolver.ts'
import { reverseShell } from './d12-reverse-shell.ts'
import { callbacks } from './d13-failed-callbacks.ts'
import { staging } from './d14-staging.ts'
import { amplification } from './d15-amplification.ts'
import { flood } from './d15-flood.ts'
import { mining } from './d16-mining.ts'
import { spam } from './d16-spam.ts'
import { metadata } from './d17-metadata.ts'
import { exposed } from './d18-exposed-service.ts'
import type { CaseRule } from './rule.ts'

export const caseRules: readonly CaseRule[] = [
  scan,
  icmpSweep,
  bruteForce,
  spray,
  beacon,
  volume,
  fanOut,
  hopChain,
  listed,
  flips,
  sessions,
  ports,
  newPeer,
  tunnel,
  resolver,
  reverseShell,
  callbacks,
  staging,
  flood,
  amplification,
  spam,
  mining,
  metadata,
  exposed,
]

/** The same of a subject, with what only a dossier tells; what stands on other findings asks how rare a peer is, which a dossier does not. */
export const subjectRules: readonly CaseRule[] = [
  firstContact,
  ...caseRules.filter(({ scope }) => scope !== 'findings'),
  dataServed,
]
