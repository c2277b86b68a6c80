import { ACCOUNT_ID, FIELDS, REGION } from './network.ts'

const SPACE = 32
const DOT = 46
/** No line of a flow log with these fields is longer. */
const LONGEST_LINE = 200

const ACCEPT_IN = Buffer.from('ACCEPT OK ingress -\n')
const REJECT_IN = Buffer.from('REJECT OK ingress -\n')
const ACCEPT_OUT = new Map([1, 8].map(path => [path, Buffer.from(`ACCEPT OK egress ${path}\n`)]))
const NO_FLOW = Buffer.from('- - - - - - - - - ')
const NO_DATA = Buffer.from('- NODATA - -\n')

/** The end of a record's line: what was done with the traffic and which way it went. */
export type Way = 'accept-in' | 'reject-in' | 'to-vpc' | 'to-internet'

const WAYS: Record<Way, Buffer> = {
  'accept-in': ACCEPT_IN,
  'reject-in': REJECT_IN,
  'to-vpc': ACCEPT_OUT.get(1)!,
  'to-internet': ACCEPT_OUT.get(8)!,
}

/** The columns before the flow: everything that a line says about its interface. */
export function placeOf(sensor: { instance_id: string; interface_id: string }): Buffer {
  return Buffer.from(`5 ${REGION} ${ACCOUNT_ID} ${sensor.instance_id} ${sensor.interface_id} `)
}

/** Writes flow log lines as bytes, without making a string of each. */
export class LineWriter {
  #bytes: Buffer
  #at: number

  /** Room for a header and `rows` lines. */
  constructor(rows: number) {
    this.#bytes = Buffer.allocUnsafe(LONGEST_LINE * (rows + 1))
    this.#at = this.#bytes.write(`${FIELDS}\n`, 'latin1')
  }

  /** What was written so far. */
  content(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** One flow record. Addresses are 32-bit numbers, times Unix seconds. */
  record(
    place: Buffer,
    source: number,
    destination: number,
    source_port: number,
    destination_port: number,
    protocol: number,
    bytes: number,
    packets: number,
    tcp_flags: number,
    start: number,
    end: number,
    way: Way,
  ): void {
    this.#copy(place)
    this.#bytes[this.#at++] = 73 // I
    this.#bytes[this.#at++] = 80 // P
    this.#bytes[this.#at++] = 118 // v
    this.#bytes[this.#at++] = 52 // 4
    this.#bytes[this.#at++] = SPACE
    this.#address(source)
    this.#address(destination)
    this.#number(source_port)
    this.#number(destination_port)
    this.#number(protocol)
    this.#number(bytes)
    this.#number(packets)
    this.#number(tcp_flags)
    this.#number(start)
    this.#number(end)
    this.#copy(WAYS[way])
  }

  /** One NODATA row. */
  noData(place: Buffer, start: number, end: number): void {
    this.#copy(place)
    this.#copy(NO_FLOW)
    this.#number(start)
    this.#number(end)
    this.#copy(NO_DATA)
  }

  #copy(text: Buffer): void {
    this.#bytes.set(text, this.#at)
    this.#at += text.length
  }

  #address(address: number): void {
    this.#digits(address >>> 24)
    this.#bytes[this.#at++] = DOT
    this.#digits((address >>> 16) & 255)
    this.#bytes[this.#at++] = DOT
    this.#digits((address >>> 8) & 255)
    this.#bytes[this.#at++] = DOT
    this.#digits(address & 255)
    this.#bytes[this.#at++] = SPACE
  }

  #number(value: number): void {
    this.#digits(value)
    this.#bytes[this.#at++] = SPACE
  }

  #digits(value: number): void {
    let length = 1
    for (let limit = 10; value >= limit; limit *= 10) length++
    const end = this.#at + length
    let rest = value
    for (let i = end - 1; i >= this.#at; i--) {
      const tens = rest < 0x7fffffff ? (rest / 10) | 0 : Math.floor(rest / 10)
      this.#bytes[i] = 48 + rest - tens * 10
      rest = tens
    }
    this.#at = end
  }
}

/** The dotted text of an IPv4 address as a 32-bit number. */
export function addressNumber(text: string): number {
  return text.split('.').reduce((value, octet) => ((value << 8) | Number(octet)) >>> 0, 0)
}
