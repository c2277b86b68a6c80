/** The records of services as a filter, both ways. */
import type { ServiceRow } from './dossier.ts'

export type FilteredService = Pick<ServiceRow, 'client' | 'server' | 'port' | 'protocol'>

/** In the filter language; not of none. */
export function serviceFilter(services: readonly FilteredService[]): string {
  return `(${services.map(wayText).join(' or ')})`
}

function wayText({ client, server, port, protocol }: FilteredService): string {
  const isProtocol = protocol === null ? 'protocol is unknown' : `proto ${protocol}`
  const way = (from: string, to: string, side: 'src' | 'dst'): string =>
    `src ip ${from} and dst ip ${to}${port === null ? '' : ` and ${side} port ${port}`}`
  return `(${isProtocol} and ((${way(client, server, 'dst')}) or (${way(server, client, 'src')})))`
}
