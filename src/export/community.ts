import { parseAddress } from '../net/address.ts'
import { communityId } from '../net/community-id.ts'
import { hasPorts } from '../net/protocols.ts'
import type { ExportedConnection } from './items.ts'

/** The Community ID of a connection, of the addresses that the export names; null where ports or protocol that it needs are unknown. */
export function communityOf({ client, server, client_port, port, protocol }: ExportedConnection): string | null {
  if (!hasPorts(protocol) || protocol === null || client_port === null || port === null) return null
  const [src0, src1, src2, src3] = wordsOf(client)
  const [dst0, dst1, dst2, dst3] = wordsOf(server)
  return communityId({ src0, src1, src2, src3, dst0, dst1, dst2, dst3, protocol, srcPort: client_port, dstPort: port })
}

function wordsOf(text: string): [number, number, number, number] {
  const { hi, lo } = parseAddress(text)!
  const word = (half: bigint, shift: bigint): number => Number((half >> shift) & 0xffff_ffffn)
  return [word(hi, 32n), word(hi, 0n), word(lo, 32n), word(lo, 0n)]
}
