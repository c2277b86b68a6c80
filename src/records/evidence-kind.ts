/** Flow logs, or packets: captures, and nfcapd files, whose flows a meter made of packets. Both count the same traffic. */
export type EvidenceKind = 'logs' | 'packets'
