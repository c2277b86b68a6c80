/**
 * Protocols that nfdump spells in its own way, by number.
 *
 * Source: what nfdump 1.7.1 prints for each of them. It prints IDPR for 35 and 38 alike, which is 35 here.
 */
const spelt = `
  4:IPIP 10:BBN 11:NVPII 14:ENCOM 19:DCN 22:XNS 23:Trnk1 24:Trnk2 25:Leaf1 26:Leaf2 29:ISO-4 30:NETBK 31:MFESP 32:MEINP
  43:Rte6 44:Frag6 48:MHRP 52:INLSP 55:MOBIL 59:NOHE6 60:OPTS6 61:HOST 63:NET 64:SATNT 65:KLAN 68:FS 69:SATM 76:BSATM
  77:SUNND 78:WBMON 79:WBEXP 80:ISOIP 82:SVMTP 84:TTP 85:NSIGP 90:S-RPC 94:OS 96:SCCSP 97:ETHIP 108:IPcmp 110:CpqPP
  111:IPXIP 114:0hop 124:ISIS4 135:MHEAD 136:UDP-L 137:MPLS
`

export const nfdumpProtocols: ReadonlyMap<string, number> = new Map(
  spelt
    .trim()
    .split(/\s+/)
    .map(pair => pair.split(':') as [string, string])
    .map(([number, name]) => [name.toLowerCase(), Number(number)]),
)
