import { TCP, UDP } from '../net/protocols.ts'

/**
 * Ports that servers have: those for which Zeek's standard scripts register an analyser (`likely_server_ports`). Where only one
 * end has one, that is the responder.
 */
const tcp = new Set([
  ...[21, 22, 25, 53, 80, 81, 88, 110, 135, 139, 143, 389, 443, 445, 502, 513, 514, 524, 563, 585, 587, 614, 631],
  ...[636, 989, 990, 992, 993, 995, 1080, 1433, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5060, 5222, 5223, 5269],
  ...[5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8883, 8888, 20000],
])
const udp = new Set([
  ...[53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3389, 3478, 3544, 4011, 4789, 5060, 5072],
  ...[5353, 5355, 6081, 20000],
])

export function isServerPort(protocol: number, port: number): boolean {
  if (protocol === TCP) return tcp.has(port)
  return protocol === UDP && udp.has(port)
}
