/** Control bits of the TCP header (RFC 9293, 3.1), as flow logs sum them over an interval. */
export const FIN = 1
export const SYN = 2
export const RST = 4
export const PSH = 8
export const ACK = 16
export const URG = 32
const ECE = 64
const CWR = 128

const names: readonly (readonly [number, string])[] = [
  [FIN, 'FIN'],
  [SYN, 'SYN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
  [URG, 'URG'],
  [ECE, 'ECE'],
  [CWR, 'CWR'],
]

/** Names of the bits that are set, lowest bit first; none for 0. */
export function flagNames(flags: number): string[] {
  return names.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
}
