import type { NfcapdTotals } from './account.ts'

/** stat_record_s of nfdump 1.7: 18 numbers of 64 bits. */
export const totalsBytes = 144
/** stat_record_s of nfdump 1.6: 15 numbers of 64 bits, times in seconds and milliseconds, sequence failures in 32 bits. */
export const totals16Bytes = 136

const names = [
  'flows',
  'bytes',
  'packets',
  'flowsTcp',
  'flowsUdp',
  'flowsIcmp',
  'flowsOther',
  'bytesTcp',
  'bytesUdp',
  'bytesIcmp',
  'bytesOther',
  'packetsTcp',
  'packetsUdp',
  'packetsIcmp',
  'packetsOther',
  'first',
  'last',
  'sequenceFailures',
] as const satisfies readonly (keyof NfcapdTotals)[]
const counters = 15

export function noTotals(): NfcapdTotals {
  return Object.fromEntries(names.map(name => [name, 0n])) as unknown as NfcapdTotals
}

export function readTotals(view: DataView, at: number, littleEndian: boolean): NfcapdTotals {
  const totals = noTotals()
  names.forEach((name, i) => {
    totals[name] = view.getBigUint64(at + 8 * i, littleEndian)
  })
  return totals
}

export function writeTotals(totals: NfcapdTotals, view: DataView, at: number): void {
  names.forEach((name, i) => {
    view.setBigUint64(at + 8 * i, totals[name], true)
  })
}

export function readTotals16(view: DataView, at: number, littleEndian: boolean): NfcapdTotals {
  const totals = noTotals()
  names.slice(0, counters).forEach((name, i) => {
    totals[name] = view.getBigUint64(at + 8 * i, littleEndian)
  })
  const rest = at + 8 * counters
  const time = (seconds: number, milliseconds: number): bigint =>
    BigInt(view.getUint32(rest + seconds, littleEndian)) * 1000n +
    BigInt(view.getUint16(rest + milliseconds, littleEndian))
  totals.first = time(0, 8)
  totals.last = time(4, 10)
  totals.sequenceFailures = BigInt(view.getUint32(rest + 12, littleEndian))
  return totals
}
