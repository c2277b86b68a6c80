/** What a finding of a dossier speaks of, for commands that take one instead of a filter. */
import { exitStatus, UserError } from '../errors.ts'
import type { Dossier, Finding, ServiceRow } from '../investigate/dossier.ts'
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

/** @throws UserError (status 2) for an id that the dossier has not. */
export async function servicesOfFinding(
  opened: Case,
  id: string,
  { of = [], internal }: Whose,
  signal: AbortSignal,
): Promise<{ dossier: Dossier; finding: Finding; services: ServiceRow[] }> {
  const { investigate } = await import('../investigate/investigate.ts')
  const dossier = await investigate(opened, of, { ...(internal && { internal }), servicesMax, signal })
  const finding = dossier.findings.find(one => one.id === id)
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
  return { dossier, finding, services }
}

/** The records of a finding as a filter: of its services, both ways, in its time. */
export async function filterOfFinding(opened: Case, id: string, whose: Whose, signal: AbortSignal): Promise<string> {
  const { finding, services } = await servicesOfFinding(opened, id, whose, signal)
  if (services.length > inFilterMax)
    throw new UserError(`${id} speaks of ${integerText(services.length)} services: too many for a filter`, {
      hint: `tidemark investigate ADDRESS --lines ${id} prints its records`,
    })
  const ways = services.map(wayText)
  return `(${ways.join(' or ')}) and start >= ${finding.first_start} and start <= ${finding.last_end}`
}

function wayText({ client, server, port, protocol }: ServiceRow): string {
  const way = (from: string, to: string, side: 'src' | 'dst'): string =>
    `src ip ${from} and dst ip ${to}${port === null ? '' : ` and ${side} port ${port}`}`
  return `(proto ${protocol} and ((${way(client, server, 'dst')}) or (${way(server, client, 'src')})))`
}
