/** What a finding of a dossier speaks of, for commands that take one instead of a filter. */
import { exitStatus, UserError } from '../errors.ts'
import type { Dossier, Finding, ServiceRow } from '../investigate/dossier.ts'
import type { Found } from '../investigate/investigate.ts'
import { serviceFilter } from '../investigate/service-filter.ts'
import { integerText } from '../report/numbers.ts'
import type { Case } from '../store/case.ts'

/** Services of a dossier in which those of a finding are looked for. */
const servicesMax = 100_000
/** Conditions of one filter: more are slower than a dossier. */
const inFilterMax = 100

interface Whose {
  of?: string[]
  internal?: string[]
}

interface FoundServices {
  dossier: Dossier
  finding: Finding
  /** Those that it speaks of. */
  services: ServiceRow[]
  /** Of these the ones whose records within its time are its evidence. */
  restsOn: ServiceRow[]
}

/** @throws UserError (status 2) for an id that the dossier does not have. */
export async function servicesOfFinding(
  opened: Case,
  id: string,
  { of = [], internal }: Whose,
  signal: AbortSignal,
): Promise<FoundServices> {
  const { investigate } = await import('../investigate/investigate.ts')
  let found: Found | null = null
  const inspect = (one: Found): void => {
    found = one
  }
  const dossier = await investigate(opened, of, { ...(internal && { internal }), servicesMax, inspect, signal })
  const finding = dossier.findings.find(one => one.id === id.toUpperCase())
  if (finding === undefined) {
    const known = dossier.findings.map(one => one.id).join(', ')
    throw new UserError(`no such finding: ${id}`, {
      hint: known === '' ? 'the dossier has no finding' : `the dossier has ${known}`,
      status: exitStatus.usage,
    })
  }
  const services = dossier.services.filter(service => service.findings.includes(finding.id))
  if (services.length < finding.services_total)
    throw new UserError(
      `${finding.id} speaks of ${integerText(finding.services_total)} services: more than can be looked for at once`,
      { hint: 'use a filter: "ip ADDRESS"' },
    )
  return { dossier, finding, services, restsOn: restingOn(finding, dossier, found!) }
}

function restingOn({ id }: Finding, { services }: Dossier, found: Found): ServiceRow[] {
  const numbers = new Set(found.findings.find(one => one.finding.id === id)?.restsOn)
  return services.filter((_, i) => numbers.has(found.services[i]!))
}

/** The records of a finding as a filter: of the services that it rests on, both ways, in its time. */
export async function filterOfFinding(opened: Case, id: string, whose: Whose, signal: AbortSignal): Promise<string> {
  const { finding, restsOn } = await servicesOfFinding(opened, id, whose, signal)
  const { first_start, last_end } = finding
  const hint = `tidemark investigate ADDRESS --lines ${finding.id} prints its records`
  if (restsOn.length > inFilterMax)
    throw new UserError(`${id} rests on ${integerText(restsOn.length)} services: too many for a filter`, { hint })
  const ways = serviceFilter(restsOn)
  // Without its time a finding rests on all records of its services.
  if (first_start === null || last_end === null) return ways
  return `${ways} and start >= ${first_start} and start <= ${last_end}`
}
