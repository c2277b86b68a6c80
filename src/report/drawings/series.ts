/** Which service has which colour, the same in every drawing of a report. */
import type { Dossier } from '../../investigate/dossier.ts'
import { line, type Text } from '../block.ts'
import { addressOf, placeOf, wordsOf } from '../figures.ts'

/** The services that have a colour of their own, by their place: a number from 1. All others share the sixth. */
export interface SeriesOf {
  listed: ReadonlyMap<number, number>
}

const coloursMax = 5
export const otherColour = coloursMax + 1

/** Those that moved most, in the order of the dossier. */
export function seriesOf({ services }: Pick<Dossier, 'services'>): SeriesOf {
  const chosen = services
    .map((service, index) => ({
      index,
      bytes: BigInt(service.bytes_to_server ?? 0) + BigInt(service.bytes_to_client ?? 0),
    }))
    .sort((a, b) => (a.bytes > b.bytes ? -1 : a.bytes < b.bytes ? 1 : a.index - b.index))
    .slice(0, coloursMax)
    .sort((a, b) => a.index - b.index)
  return { listed: new Map(chosen.map(({ index }, i) => [index, i + 1])) }
}

export function colourOf({ listed }: SeriesOf, index: number): number {
  return listed.get(index) ?? otherColour
}

/** `S1 10.130.8.94:80`. */
export function serviceParts(d: Pick<Dossier, 'services'>, index: number): Text {
  return line`${placeOf('S', index, `dossier.services.${index}`)} ${endpointParts(d, index)}`
}

export function endpointParts({ services }: Pick<Dossier, 'services'>, index: number): Text {
  const { server, port } = services[index]!
  const at = `dossier.services.${index}`
  const host = addressOf(server, `${at}.server`)
  if (port === null) return host
  const number = wordsOf(port, `${at}.port`)
  return server.includes(':') ? line`[${host}]:${number}` : line`${host}:${number}`
}
