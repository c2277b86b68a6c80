// The records of a case for nfdump.
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { has, NfcapdFlow } from '../dist/nfcapd/flow.js'
import { NfcapdWriter } from '../dist/nfcapd/writer.js'
import { openCase } from '../dist/store/case.js'

/** The case's records as nfcapd files, some million each, as nfcapd would write them (LZ4). False: they are there already. */
export async function writeNfcapd(caseDir, folder) {
  // Beside the folder: nfdump reads all that is in it.
  const done = `${folder}.done`
  if (existsSync(done)) return false
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const c = await openCase(caseDir)
  const flow = new NfcapdFlow()
  const two32 = 4294967296n
  const segments = c.segments.filter(segment => segment.kind === 'flows')
  for (const [i, segment] of segments.entries()) {
    const file = openSync(join(folder, `nfcapd.20230928${String(i).padStart(4, '0')}`), 'w')
    const writer = new NfcapdWriter(bytes => writeSync(file, bytes), { compression: 'lz4', ident: 'bench' })
    const result = await c.db.stream(
      `SELECT srcaddr.hi, srcaddr.lo, dstaddr.hi, dstaddr.lo, srcport, dstport, protocol, packets, bytes, epoch_us(start), epoch_us("end"), tcp_flags
       FROM read_parquet('${join(c.dir, 'segments', segment.name)}')`,
    )
    for await (const rows of result) {
      for (const [shi, slo, dhi, dlo, sp, dp, protocol, packets, bytes, start, end, flags] of rows) {
        flow.src0 = Number(shi >> 32n)
        flow.src1 = Number(shi % two32)
        flow.src2 = Number(slo >> 32n)
        flow.src3 = Number(slo % two32)
        flow.dst0 = Number(dhi >> 32n)
        flow.dst1 = Number(dhi % two32)
        flow.dst2 = Number(dlo >> 32n)
        flow.dst3 = Number(dlo % two32)
        flow.version = shi === 0n && slo >> 32n === 0xffffn ? 4 : 6
        flow.srcPort = sp
        flow.dstPort = dp
        flow.protocol = protocol
        flow.tcpFlags = flags ?? 0
        flow.packetsHigh = Number(packets / two32)
        flow.packetsLow = Number(packets % two32)
        flow.bytesHigh = Number(bytes / two32)
        flow.bytesLow = Number(bytes % two32)
        flow.first = Number(start)
        flow.last = Number(end)
        flow.received = Number(end)
        flow.has = has.misc
        writer.add(flow)
      }
    }
    const head = writer.finish()
    writeSync(file, head, 0, head.length, 0)
    closeSync(file)
  }
  await c.close()
  writeFileSync(done, '')
  return true
}
