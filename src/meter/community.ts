import { communityId } from '../net/community-id.ts'
import { isIcmp } from '../net/icmp.ts'
import type { ConnectionRecord } from './connection-record.ts'

/** The Community ID of a connection, seed 0. */
export function communityOf(c: ConnectionRecord): string {
  return communityId({
    src0: c.orig0,
    src1: c.orig1,
    src2: c.orig2,
    src3: c.orig3,
    dst0: c.resp0,
    dst1: c.resp1,
    dst2: c.resp2,
    dst3: c.resp3,
    protocol: c.protocol,
    srcPort: isIcmp(c.protocol) ? c.icmpType : c.origPort,
    dstPort: isIcmp(c.protocol) ? c.icmpCode : c.respPort,
  })
}
