import type { Random } from './random.ts'

/** One logged network interface of the VPC. */
export interface Sensor {
  interface_id: string
  instance_id: string
  address: string
  role: string
  /** Its aggregation windows begin at this second of every minute. */
  window_offset: number
}

export const ACCOUNT_ID = '222677128680'
export const REGION = 'us-east-2'
export const FLOW_LOG_ID = 'fl-0272f42338e6eeaaf'

/** The address whose traffic the exercise is about. */
export const ATTACKER = '20.106.124.93'
/** What a shell user types to find it: each dot matches any character, anywhere in the line. */
export const CARELESS_MATCH = /20.106.124.93/

export const WEB_SERVER: Sensor = {
  interface_id: 'eni-0f3b9a6c21d7e4850',
  instance_id: 'i-07c5e1fa9b2d83604',
  address: '10.130.8.94',
  role: 'web server',
  window_offset: 5,
}

/** Every record field, in the order of the flow log's format. */
export const FIELDS =
  'version region account-id instance-id interface-id type srcaddr dstaddr srcport dstport protocol bytes packets ' +
  'tcp-flags start end action log-status flow-direction traffic-path'

/** Values of `traffic-path`: where egress traffic left to. */
export const PATH_VPC = 1
export const PATH_INTERNET = 8

/** The first and last second that the lab's folder covers, 2023-09-28 17:00:00 to 23:59:59 UTC. */
export const LAB_START = 1695920400
export const DAY_END = 1695945599
/** Seconds of `end` that share one file-name time. */
export const BIN_SECONDS = 300

/** The name AWS gives a file that holds records whose `end` lies in the five minutes from `bin_start`. */
export function logFileName(bin_start: number, hash: string): string {
  const time = new Date(bin_start * 1000).toISOString() // 2023-09-28T23:55:00.000Z
  const stamp = `${time.slice(0, 16).replaceAll(/[-:]/g, '')}Z`
  return `${ACCOUNT_ID}_vpcflowlogs_${REGION}_${FLOW_LOG_ID}_${stamp}_${hash}.log.gz`
}

/** Networks of well-known internet-wide scanners: the first three octets of each /24. */
export const SCANNER_NETWORKS = [
  ...['35.203.210', '35.203.211', '162.216.149', '162.216.150', '198.235.24', '205.210.31', '147.185.132'],
  ...['162.142.125', '167.94.138', '167.94.145', '167.94.146', '167.248.133', '199.45.154', '206.168.34'],
  ...['71.6.135', '71.6.146', '71.6.158', '80.82.77', '66.240.205', '93.174.95', '89.248.165', '89.248.167'],
  ...['184.105.139', '184.105.247', '64.62.197', '65.49.20', '74.82.47', '216.218.206', '192.241.220'],
  ...['45.143.200', '45.155.205', '92.63.197', '94.102.61', '185.156.73', '185.224.128', '193.163.125', '78.128.113'],
]

/** Ports that scanners probe, the popular ones several times. */
export const PROBED_PORTS = [
  ...[
    23, 23, 23, 23, 22, 22, 22, 3389, 3389, 3389, 445, 445, 445, 8080, 8080, 443, 443, 80, 80, 1433, 1433, 6379, 6379,
  ],
  ...[5900, 5900, 8443, 8443, 8888, 2323, 3306, 5432, 27017, 9200, 11211, 21, 25, 110, 143, 465, 587, 993, 995, 135],
  ...[139, 161, 389, 502, 873, 1080, 1521, 1723, 1883, 2049, 2082, 2222, 2375, 2376, 3128, 4444, 5000, 5060, 5222],
  ...[5555, 5601, 5672, 5901, 5985, 6000, 6443, 7001, 7547, 8000, 8009, 8081, 8086, 8090, 8161, 8291, 8728, 9000, 9001],
  ...[9090, 9100, 9443, 10000, 10250, 15672, 20000, 37777, 49152, 50070, 60001],
]

/** First octets of ordinary public networks: consumer and hosting ranges around the world. */
export const PUBLIC_FIRST_OCTETS = [
  ...[1, 2, 5, 14, 24, 27, 31, 36, 37, 39, 41, 42, 43, 45, 46, 49, 50, 58, 59, 60, 61, 62, 66, 67, 68, 69, 70, 71, 72],
  ...[73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 101],
  ...[
    103, 105, 106, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 121, 122, 123, 124, 125, 128, 130, 134,
  ],
  ...[
    138, 139, 141, 144, 146, 149, 151, 154, 156, 159, 161, 163, 165, 170, 173, 174, 175, 176, 177, 178, 179, 180, 181,
  ],
  ...[
    182, 183, 184, 185, 186, 187, 188, 189, 190, 193, 194, 195, 196, 197, 200, 201, 202, 209, 210, 211, 212, 213, 216,
  ],
  ...[217, 218, 219, 221, 222, 223],
]

/** Any ordinary public address that no careless match takes for the attacker's. */
export function publicAddress(random: Random): string {
  for (;;) {
    const first = random.pick(PUBLIC_FIRST_OCTETS)
    const address = `${first}.${random.below(256)}.${random.below(256)}.${random.between(1, 254)}`
    if (!CARELESS_MATCH.test(address)) return address
  }
}

/** An address of a well-known scanner. */
export function scannerAddress(random: Random): string {
  return `${random.pick(SCANNER_NETWORKS)}.${random.between(1, 254)}`
}
