/** Records under other addresses. What is derived from addresses (Community ID, direction) is worked out afterwards, from those. */
import type { CryptoPan } from '../anonymise/crypto-pan.ts'
import type { ConnectionRecord } from '../meter/connection-record.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'

type Words = readonly [number, number, number, number]

/** Replaces both addresses of a flow record. */
export function anonymiseFlow(pan: CryptoPan, record: MeteredFlow): void {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = record
  ;[record.src0, record.src1, record.src2, record.src3] = renamed(pan, [src0, src1, src2, src3])
  ;[record.dst0, record.dst1, record.dst2, record.dst3] = renamed(pan, [dst0, dst1, dst2, dst3])
}

/** Replaces both addresses of a connection. */
export function anonymiseConnection(pan: CryptoPan, record: ConnectionRecord): void {
  const { orig0, orig1, orig2, orig3, resp0, resp1, resp2, resp3 } = record
  ;[record.orig0, record.orig1, record.orig2, record.orig3] = renamed(pan, [orig0, orig1, orig2, orig3])
  ;[record.resp0, record.resp1, record.resp2, record.resp3] = renamed(pan, [resp0, resp1, resp2, resp3])
}

/** The other name of an address. */
function renamed(pan: CryptoPan, address: Words): Words {
  const words = new Uint32Array(address)
  pan.words(words)
  return [words[0]!, words[1]!, words[2]!, words[3]!]
}
