/** Where a capture ceased to be readable. What came before it was given out, what follows was not read. */
export interface Damage {
  /** `cut`: the file ends inside something; `damaged`: it says what cannot be; `unknown`: it is no capture, or of no known version. */
  kind: 'cut' | 'damaged' | 'unknown'
  /** In the file, unpacked: where what cannot be read begins. */
  offset: number
  problem: string
}

/** No packet is taken that claims more captured bytes (tcpdump and Wireshark stop at the same number). */
export const capturedBytesMax = 256 << 10
/** No pcapng block is taken that claims to be longer. Together with the packet limit it bounds what a reader holds. */
export const blockBytesMax = 16 << 20
