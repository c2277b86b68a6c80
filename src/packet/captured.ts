/**
 * One packet as a capture holds it, not yet decoded. A reader fills one object again and again, and `bytes` may be a buffer that is
 * used again: nobody keeps either.
 */
export class Captured {
  /** Its bytes are `bytes[from]` to `bytes[to - 1]`, link layer first. */
  bytes: Uint8Array = new Uint8Array(0)
  from = 0
  to = 0
  /** The whole record or block with its headers: `bytes[recordFrom]` to `bytes[recordTo - 1]`, from `offset` in the file on. */
  recordFrom = 0
  recordTo = 0
  offset = 0
  /** In the file, from 1. */
  number = 0
  /** Bytes that it had on the wire. */
  wireLength = 0
  /** Microseconds since the epoch, rounded down; an exact integer. */
  time = 0
  /** What `time` leaves out, 0 to 999 ns. */
  nanoseconds = 0
  /** False for a Simple Packet Block, which has no time: `time` is then that of the packet before it. */
  timed = true
  /** LINKTYPE_ value; -1 where the packet names an interface that the file does not describe. */
  linkType = 0
  /** Of all interfaces in the file, from 0; always 0 in pcap. */
  interface = 0
}
