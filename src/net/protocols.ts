/**
 * Keywords by number, from 0.
 *
 * Source: IANA, Assigned Internet Protocol Numbers, https://www.iana.org/assignments/protocol-numbers. An empty
 * place (`-`) is assigned without a keyword (61, 63, 68, 99, 114).
 */
const keywords = `
  HOPOPT ICMP IGMP GGP IPv4 ST TCP CBT EGP IGP
  BBN-RCC-MON NVP-II PUP ARGUS EMCON XNET CHAOS UDP MUX DCN-MEAS
  HMP PRM XNS-IDP TRUNK-1 TRUNK-2 LEAF-1 LEAF-2 RDP IRTP ISO-TP4
  NETBLT MFE-NSP MERIT-INP DCCP 3PC IDPR XTP DDP IDPR-CMTP TP++
  IL IPv6 SDRP IPv6-Route IPv6-Frag IDRP RSVP GRE DSR BNA
  ESP AH I-NLSP SWIPE NARP Min-IPv4 TLSP SKIP IPv6-ICMP IPv6-NoNxt
  IPv6-Opts - CFTP - SAT-EXPAK KRYPTOLAN RVD IPPC - SAT-MON
  VISA IPCV CPNX CPHB WSN PVP BR-SAT-MON SUN-ND WB-MON WB-EXPAK
  ISO-IP VMTP SECURE-VMTP VINES IPTM NSFNET-IGP DGP TCF EIGRP OSPFIGP
  Sprite-RPC LARP MTP AX.25 IPIP MICP SCC-SP ETHERIP ENCAP -
  GMTP IFMP PNNI PIM ARIS SCPS QNX A/N IPComp SNP
  Compaq-Peer IPX-in-IP VRRP PGM - L2TP DDX IATP STP SRP
  UTI SMP SM PTP ISIS-over-IPv4 FIRE CRTP CRUDP SSCOPMCE IPLT
  SPS PIPE SCTP FC RSVP-E2E-IGNORE Mobility-Header UDPLite MPLS-in-IP manet HIP
  Shim6 WESP ROHC Ethernet AGGFRAG NSH
`
  .trim()
  .split(/\s+/)

export const TCP = 6
export const UDP = 17
export const SCTP = 132

/** IANA's keyword of a protocol number (`TCP` for 6); null where it has none. */
export function protocolName(protocol: number): string | null {
  const keyword = keywords[protocol]
  return keyword === undefined || keyword === '-' ? null : keyword
}

/** Numbers by name, in lower case: IANA's keywords, and the names of nfdump and others that are not IANA's. */
export const protocolNumbers: ReadonlyMap<string, number> = new Map([
  ...([
    ['icmp6', 58],
    ['icmpv6', 58],
    ['ospf', 89],
    ['ipv6-route', 43],
    ['ipv6-frag', 44],
  ] as const),
  // The lowest number last: it keeps a name that several have.
  ...keywords
    .map((name, number) => [name.toLowerCase(), number] as const)
    .filter(([name]) => name !== '-')
    .reverse(),
])

/** The keyword, or `protocol 61` without a keyword; words for null, which is unknown. */
export function protocolText(protocol: number | null): string {
  return protocol === null ? 'unknown protocol' : (protocolName(protocol) ?? `protocol ${protocol}`)
}

/**
 * Protocols whose records may lack ports that are there: TCP, UDP and SCTP, and the IPv6 extension headers, behind which any of them may come
 * (a capture that was cut among them has no more). All others have none that could be missing.
 */
export const mayHavePorts: readonly number[] = [0, TCP, UDP, 43, 44, 60, SCTP]

/** Whether flow records of this protocol carry port numbers: TCP, UDP and SCTP. */
export function hasPorts(protocol: number | null): boolean {
  return protocol === TCP || protocol === UDP || protocol === SCTP
}
