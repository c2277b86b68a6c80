/** Records under other addresses. What is derived from addresses (Community ID, direction) is worked out afterwards, from those. */
import type { CryptoPan } from '../anonymise/crypto-pan.ts'
import type { ConnectionRecord } from '../meter/connection-record.ts'
import type { MeteredFlow } from '../meter/metered-flow.ts'

const words = new Uint32Array(4)

/** Replaces both addresses of a flow record. */
export function anonymiseFlow(pan: CryptoPan, record: MeteredFlow): void {
  map(pan, record.src0, record.src1, record.src2, record.src3)
  record.src0 = words[0]!
  record.src1 = words[1]!
  record.src2 = words[2]!
  record.src3 = words[3]!
  map(pan, record.dst0, record.dst1, record.dst2, record.dst3)
  record.dst0 = words[0]!
  record.dst1 = words[1]!
  record.dst2 = words[2]!
  record.dst3 = words[3]!
}

/** Replaces both addresses of a connection. */
export function anonymiseConnection(pan: CryptoPan, record: ConnectionRecord): void {
  map(pan, record.orig0, record.orig1, record.orig2, record.orig3)
  record.orig0 = words[0]!
  record.orig1 = words[1]!
  record.orig2 = words[2]!
  record.orig3 = words[3]!
  map(pan, record.resp0, record.resp1, record.resp2, record.resp3)
  record.resp0 = words[0]!
  record.resp1 = words[1]!
  record.resp2 = words[2]!
  record.resp3 = words[3]!
}

/** Puts the other name of an address into `words`. */
function map(pan: CryptoPan, w0: number, w1: number, w2: number, w3: number): void {
  words[0] = w0
  words[1] = w1
  words[2] = w2
  words[3] = w3
  pan.words(words)
}
