/** The records that a finding or a service of a dossier rests on, all of them. */
import { exitStatus, UserError } from '../errors.ts'
import type { Case } from '../store/case.ts'
import type { Basis } from './dossier.ts'
import { type InvestigateOptions, investigate } from './investigate.ts'

/**
 * The places of `F4`, a finding, or `S2`, a service, of the subjects' dossier.
 *
 * @throws UserError (status 2) where the dossier has no such finding or service.
 */
export async function placesOfPart(
  c: Case,
  subjects: string[],
  part: string,
  options: InvestigateOptions = {},
): Promise<Basis[]> {
  const [, kind, digits] = /^([FS])([1-9]\d{0,8})$/i.exec(part) ?? []
  if (kind === undefined)
    throw noPart(`not a finding or a service: ${part}`, 'write F4 for a finding, S2 for a service')
  let found: Basis[] | null = null
  const d = await investigate(c, subjects, {
    ...options,
    correlation: 'with-packets',
    inspect: ({ findings, services, lines }) => {
      const finding = findings.find(one => one.finding.id === part.toUpperCase())
      const service = services[Number(digits) - 1]
      if (kind.toUpperCase() === 'F') found = finding === undefined ? null : lines.all(finding.connections)
      else if (service !== undefined) found = lines.ofService(service)
    },
  })
  if (found !== null) return found
  const known = kind.toUpperCase() === 'F' ? d.findings.map(one => one.id) : d.services.map((_, i) => `S${i + 1}`)
  const named = known.length > 8 ? `${known[0]} to ${known.at(-1)}` : known.join(', ')
  throw noPart(
    `no such part of the dossier: ${part}`,
    known.length === 0 ? 'the dossier has none' : `the dossier has ${named}`,
  )
}

function noPart(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}
