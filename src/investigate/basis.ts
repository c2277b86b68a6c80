/** All records that a finding or a service rests on. */
import type { LineReader } from '../dossier-rules/evidence.ts'
import { spanOf } from '../dossier-rules/words.ts'
import type { Finding } from '../rules/finding.ts'
import type { Basis } from './dossier.ts'

/** A finding, with the numbers of the services whose records within its time are its evidence. */
export interface RestingFinding extends Pick<Finding, 'id' | 'first_start' | 'last_end'> {
  services: readonly number[]
}

/** Places that are named at most; `basis_total` says how many there are. */
const basisMax = 1_000_000

/** Every place of a finding's records, in the order of the evidence. */
export function wholeBasis({ services, first_start, last_end }: RestingFinding, lines: LineReader): Basis[] {
  return lines.all(services, spanOf({ first_start, last_end }), basisMax)
}

/** Those of the service of that number. */
export function basisOfService(service: number, lines: LineReader): Basis[] {
  return lines.all([service], null, basisMax)
}
