/** What a connection is called in an address of the workbench: its ends, protocol and first time, which are the same however it is looked at. */
import { parseAddress } from '../../net/address.ts'

export interface ConnectionKey {
  protocol: number | null
  client: string
  clientPort: number | null
  server: string
  serverPort: number | null
  /** Microseconds since 1970; null where no record has a time. */
  start_us: number | null
}

/** `6~20.106.124.93~49832~10.130.8.94~8889~1695922956000000`; `-` for what is not known. */
export function connectionKey({ protocol, client, clientPort, server, serverPort, start_us }: ConnectionKey): string {
  return [protocol, client, clientPort, server, serverPort, start_us].map(part => part ?? '-').join('~')
}

/** Null for a text that is none. */
export function parseConnectionKey(text: string): ConnectionKey | null {
  const parts = text.split('~')
  const [protocol, client, clientPort, server, serverPort, start] = parts
  if (parts.length !== 6 || parseAddress(client!) === null || parseAddress(server!) === null) return null
  const numbers = [protocol, clientPort, serverPort, start].map(part => numberOf(part!))
  if (numbers.some(number => number === undefined)) return null
  const [protocolNumber, from, to, start_us] = numbers as (number | null)[]
  if ((protocolNumber ?? 0) > 255 || (from ?? 0) > 65_535 || (to ?? 0) > 65_535) return null
  return {
    ...{ protocol: protocolNumber!, client: client!, clientPort: from!, server: server!, serverPort: to! },
    start_us: start_us!,
  }
}

function numberOf(text: string): number | null | undefined {
  if (text === '-') return null
  return /^-?\d{1,16}$/.test(text) ? Number(text) : undefined
}
