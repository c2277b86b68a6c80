/**
 * From counted records to connections, and who connected to whom (docs/reference/dossier.md, sections 3 and 4).
 *
 * Leaves the temporary table `conn`, one row a connection: endpoints a and b (a the smaller), per-side sums, `client_is_a`, `rule` (number in
 * the ladder), `confidence`; and in `numbered` each counted record with the `id` of its connection.
 */
import { assert } from '../errors.ts'
import { internalPrefixes } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'

const key = 'a_hi, a_lo, a_port, b_hi, b_lo, b_port, protocol'
const order = 'start_us, syn DESC, end_us, _file, _line'
/** An open TCP connection may be silent that long and still be the same: a shell that nobody types in. */
const idle_us = 3600 * 1_000_000
const portProtocols = '(6, 17, 132)'
/** Starts that lie no further apart do not tell who began: logs cut them to seconds, and hosts' clocks differ. */
const apart_us = 2_000_000
/** At most so many packets in one direction are a probe. */
const probePackets = 3

/**
 * What the TCP flags of a record say of how its connection begins.
 *
 * `syn`: the client's SYN. `synack`: the server's answer. Logs keep ACK only together with SYN, so either is told by one record. The flags of a
 * record of packets are those of all its packets: only where it has a single packet, SYN and ACK are one answer. `opens`: a SYN of either kind.
 */
const openings = {
  logs: {
    syn: 'tcp_flags & 2 <> 0 AND tcp_flags & 16 = 0',
    synack: 'tcp_flags & 18 = 18',
    opens: 'false',
  },
  packets: {
    syn: 'tcp_flags & 2 <> 0 AND tcp_flags & 16 = 0',
    synack: 'tcp_flags & 18 = 18 AND packets = 1',
    opens: 'tcp_flags & 2 <> 0',
  },
}

/** An ICMP error (RFC 792, RFC 4443) is about a packet that came before, and goes to who sent that. */
const isIcmpError =
  'coalesce((protocol = 1 AND icmp_type IN (3, 4, 5, 11, 12)) OR (protocol = 58 AND icmp_type < 128), false)'

/** The case whose records are judged; `source` tells how their flags are to be read. */
export interface Judged extends Pick<Case, 'db' | 'source'> {
  columns: ReadonlySet<string>
}

/**
 * Chains records into connections.
 *
 * @param records what stands after FROM: SQL of our own, with the columns of `s` (`investigate/records.ts`).
 */
export async function stitch(
  c: Judged,
  interval_us: number,
  gap_us: number,
  records = 's WHERE counted',
): Promise<void> {
  const forward = '(src_hi, src_lo, coalesce(srcport, 0)) <= (dst_hi, dst_lo, coalesce(dstport, 0))'
  const side = (a: string, b: string): string => `CASE WHEN forward THEN ${a} ELSE ${b} END`
  await c.db.run(`CREATE OR REPLACE TEMP TABLE oriented AS
    SELECT _file, _line, forward, ${side('src_hi', 'dst_hi')} AS a_hi, ${side('src_lo', 'dst_lo')} AS a_lo, ${side('srcport', 'dstport')} AS a_port,
      ${side('dst_hi', 'src_hi')} AS b_hi, ${side('dst_lo', 'src_lo')} AS b_lo, ${side('dstport', 'srcport')} AS b_port,
      protocol, start_us, end_us, packets, bytes, rejected, tcp_flags,
      coalesce(${openings[c.source].syn}, false) AS syn, coalesce(tcp_flags & 5 <> 0, false) AS fin,
      coalesce(${openings[c.source].synack}, false) AS synack, coalesce(${openings[c.source].opens}, false) AS opens,
      ${isIcmpError} AS icmp_error, ${side('src_service', 'dst_service')} AS a_service, ${side('dst_service', 'src_service')} AS b_service
    FROM (SELECT *, ${forward} AS forward FROM ${records})`)
  // Where records of both sides have a SYN, a connection begins with the first of them: the side's number of SYNs exceeds what either had.
  const again =
    c.source === 'packets'
      ? 'opens AND opened > coalesce(opened_before, 0)'
      : 'syn AND (closed_before OR start_us > before_us + ?)'
  const earlier = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING'
  await c.db.run(
    `CREATE OR REPLACE TEMP TABLE numbered AS
     WITH before AS (
       SELECT *, row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) AS n,
         max(end_us) OVER (PARTITION BY ${key} ORDER BY ${order} ${earlier}) AS before_us,
         sum(opens::INT) OVER (PARTITION BY ${key}, forward ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS opened
       FROM oriented),
     closed AS (
       SELECT *, max(opened) OVER w AS opened_before,
         coalesce(max(CASE WHEN fin THEN n END) OVER w >= coalesce(max(CASE WHEN syn OR opens THEN n END) OVER w, 0), false) AS closed_before
       FROM before WINDOW w AS (PARTITION BY ${key} ORDER BY n ${earlier}))
     SELECT *, hash(${key}, number) AS id FROM (
     SELECT *, sum(starts::INT) OVER (PARTITION BY ${key} ORDER BY n ROWS UNBOUNDED PRECEDING) AS number FROM (
     SELECT * EXCLUDE (before_us, opened, opened_before, closed_before),
         (before_us IS NULL
           OR (start_us > before_us + ? AND NOT (protocol = 6 AND NOT syn AND tcp_flags IS NOT NULL AND NOT closed_before AND start_us <= before_us + ?))
           OR (${again})) AS starts
     FROM closed))`,
    c.source === 'packets' ? [gap_us, idle_us] : [gap_us, idle_us, interval_us],
  )
  await c.db.run('DROP TABLE oriented')
  // Logs keep no ACK beside RST; packets that refuse have it.
  const flags = c.source === 'packets' ? '(tcp_flags & 239)' : 'tcp_flags'
  await c.db.run(`CREATE OR REPLACE TEMP TABLE conn AS
    SELECT id, ${key
      .split(', ')
      .map(name => `any_value(${name}) AS ${name}`)
      .join(', ')}, count(*) FILTER (starts) AS starts,
      count(*) AS records, count(*) FILTER (rejected) AS rejected,
      count(*) FILTER (forward AND NOT rejected) AS a_accepted, count(*) FILTER (NOT forward AND NOT rejected) AS b_accepted,
      coalesce(sum(bytes) FILTER (forward AND NOT rejected), 0) AS a_bytes, coalesce(sum(bytes) FILTER (NOT forward AND NOT rejected), 0) AS b_bytes,
      coalesce(sum(packets) FILTER (forward AND NOT rejected), 0) AS a_packets, coalesce(sum(packets) FILTER (NOT forward AND NOT rejected), 0) AS b_packets,
      count(*) FILTER (forward AND NOT rejected AND ${flags} IS DISTINCT FROM 4) AS a_not_rst,
      count(*) FILTER (NOT forward AND NOT rejected AND ${flags} IS DISTINCT FROM 4) AS b_not_rst,
      bool_or(syn AND forward) AS a_syn, bool_or(syn AND NOT forward) AS b_syn,
      bool_or(synack AND forward) AS a_synack, bool_or(synack AND NOT forward) AS b_synack,
      count(*) FILTER (forward) AS a_records, count(*) FILTER (NOT forward) AS b_records,
      min(start_us) FILTER (forward) AS a_first_us, min(start_us) FILTER (NOT forward) AS b_first_us,
      arg_min(rejected, n) AS first_rejected, sum(packets) AS packets, count(*) FILTER (${flags} IS DISTINCT FROM 4) AS not_rst,
      count(*) FILTER (icmp_error AND forward) AS a_errors, count(*) FILTER (icmp_error AND NOT forward) AS b_errors,
      max(a_service) AS a_service, max(b_service) AS b_service,
      min(start_us) AS start_us, max(end_us) AS end_us
    FROM numbered GROUP BY id`)
  // The ends are those of the connection: a flood has as many records as connections, and memory for one of the two.
  await c.db.run(
    'CREATE OR REPLACE TEMP TABLE numbered AS SELECT _file, _line, forward, opens, start_us, end_us, bytes, rejected, id FROM numbered',
  )
  // An id is a 64-bit digest: that two connections share one is next to impossible, and would be noticed here.
  const [counts] = await c.db.rows('SELECT sum(starts) AS starts, count(*) AS ids FROM conn')
  assert(Number(counts!['starts'] ?? 0) === Number(counts!['ids']), 'every connection has an id of its own')
}

/**
 * Decides the roles of each connection by the ladder.
 *
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 * @param flows all flow records, to stand after FROM: peers are counted over them.
 */
export async function judgeRoles(c: Judged, own: readonly Prefix[], flows = 'flows'): Promise<void> {
  const internal = (end: 'a' | 'b'): Sql => inAnyPrefix(`${end}_hi`, `${end}_lo`, [...internalPrefixes, ...own])
  await c.db.run('ALTER TABLE conn ADD COLUMN rule INT')
  await c.db.run('ALTER TABLE conn ADD COLUMN client_is_a BOOLEAN')
  await c.db.run('ALTER TABLE conn ADD COLUMN confidence DOUBLE')
  await c.db.run(`UPDATE conn SET rule = 1,
      client_is_a = CASE WHEN a_syn THEN true WHEN b_syn THEN false ELSE b_synack END,
      confidence = CASE WHEN (a_syn AND b_synack) OR (b_syn AND a_synack) THEN 0.98 ELSE 0.9 END
    WHERE (a_syn AND NOT b_syn AND NOT a_synack) OR (b_syn AND NOT a_syn AND NOT b_synack) OR (NOT a_syn AND NOT b_syn AND a_synack <> b_synack)`)
  if (c.source === 'packets') await judgeByPackets(c)
  await c.db.run(`CREATE OR REPLACE TEMP TABLE listener AS
    SELECT DISTINCT CASE WHEN client_is_a THEN b_hi ELSE a_hi END AS hi, CASE WHEN client_is_a THEN b_lo ELSE a_lo END AS lo,
      CASE WHEN client_is_a THEN b_port ELSE a_port END AS port, protocol
    FROM conn WHERE rule = 1 AND protocol IN ${portProtocols}`)
  await c.db.run(`UPDATE conn SET rule = 2, client_is_a = found.b_listens, confidence = 0.85 FROM (
      SELECT id, a.port IS NOT NULL AS a_listens, b.port IS NOT NULL AS b_listens FROM conn
      LEFT JOIN listener a ON a.hi = a_hi AND a.lo = a_lo AND a.port = a_port AND a.protocol = conn.protocol
      LEFT JOIN listener b ON b.hi = b_hi AND b.lo = b_lo AND b.port = b_port AND b.protocol = conn.protocol
      WHERE rule IS NULL) found
    WHERE found.id = conn.id AND found.a_listens <> found.b_listens`)
  await judgeErrors(c)
  const service = (end: 'a' | 'b'): string => `coalesce(${end}_service NOT IN ('AMAZON', 'EC2'), false)`
  const rule3 = sql`UPDATE conn SET rule = 3, client_is_a = ${rawSql(service('b'))}, confidence = 0.9
    WHERE rule IS NULL AND ${rawSql(service('a'))} <> ${rawSql(service('b'))}
      AND CASE WHEN ${rawSql(service('b'))} THEN ${internal('a')} ELSE ${internal('b')} END`
  await c.db.run(rule3.text, rule3.values)
  await c.db.run(`UPDATE conn SET rule = 4, client_is_a = a_records > 0, confidence = 0.8
    WHERE rule IS NULL AND first_rejected AND (a_records = 0 OR b_records = 0)`)
  await judgeByPeers(c, flows)
  for (const port of [1024, 32768, 49152]) {
    // A few packets in one direction are a probe: above the system ports a higher number makes nobody the client of a probe.
    const notProbe = port === 1024 ? 'true' : `NOT (${isProbe})`
    await c.db.run(
      `UPDATE conn SET rule = 6, client_is_a = b_port < ?, confidence = 0.6
       WHERE rule IS NULL AND protocol IN ${portProtocols} AND (a_port < ?) <> (b_port < ?) AND ${notProbe}`,
      [port, port, port],
    )
  }
  await c.db.run(`UPDATE conn SET rule = 7, confidence = 0.55,
      client_is_a = CASE WHEN b_records = 0 THEN true WHEN a_records = 0 THEN false ELSE a_first_us < b_first_us END
    WHERE rule IS NULL AND (a_records = 0 OR b_records = 0 OR abs(a_first_us - b_first_us) > 2000000)`)
  await c.db.run(`UPDATE conn SET ${unknownRole} WHERE rule IS NULL`)
}

/** Nobody knows, and an end is named all the same, for the table. */
const unknownRole = 'rule = 8, confidence = 0.5, client_is_a = (b_port, b_hi, b_lo) < (a_port, a_hi, a_lo)'
const isProbe = `(a_records = 0 OR b_records = 0) AND coalesce(packets <= ${probePackets}, false)`

/** What opens nothing: ICMP errors, which go to the one who asked; and RST out of nothing, the usual trace of a forged source. */
async function judgeErrors(c: Judged): Promise<void> {
  await c.db.run(`UPDATE conn SET rule = 9, client_is_a = b_errors > 0, confidence = 0.9
    WHERE rule IS NULL AND a_errors + b_errors = records AND (a_errors = 0) <> (b_errors = 0)`)
  await c.db.run(`UPDATE conn SET ${unknownRole}
    WHERE rule IS NULL AND protocol = 6 AND not_rst = 0 AND (a_records = 0 OR b_records = 0)`)
}

/**
 * Rule 1 for packets: the flags of a record do not tell a SYN from a SYN-ACK once an ACK has followed. The metered connection does;
 * an nfcapd file has none, but there the record that has a SYN and began first is the client's.
 */
async function judgeByPackets(c: Judged): Promise<void> {
  const forward =
    '(orig_addr.hi, orig_addr.lo, coalesce(orig_port, 0)) <= (resp_addr.hi, resp_addr.lo, coalesce(resp_port, 0))'
  const side = (a: string, b: string): string => `CASE WHEN forward THEN ${a} ELSE ${b} END`
  const same = ['a_hi', 'a_lo', 'b_hi', 'b_lo', 'protocol'].map(name => `k.${name} = conn.${name}`).join(' AND ')
  await c.db.run(`UPDATE conn SET rule = 1, client_is_a = found.orig_is_a, confidence = found.confidence FROM (
      SELECT conn.id, first(k.forward ORDER BY k.start_us, k.forward) AS orig_is_a, max(k.confidence) AS confidence
      FROM conn JOIN (
        SELECT forward, ${side('orig_addr.hi', 'resp_addr.hi')} AS a_hi, ${side('orig_addr.lo', 'resp_addr.lo')} AS a_lo,
          coalesce(${side('orig_port', 'resp_port')}, 0) AS a_port, ${side('resp_addr.hi', 'orig_addr.hi')} AS b_hi,
          ${side('resp_addr.lo', 'orig_addr.lo')} AS b_lo, coalesce(${side('resp_port', 'orig_port')}, 0) AS b_port, protocol,
          epoch_us(start) AS start_us, epoch_us("end") AS end_us, CASE WHEN role_basis = 'syn' THEN 0.98 ELSE 0.95 END AS confidence
        FROM (SELECT *, ${forward} AS forward FROM connections WHERE role_basis IN ('syn', 'syn-ack'))) k
      ON ${same} AND k.a_port = coalesce(conn.a_port, 0) AND k.b_port = coalesce(conn.b_port, 0)
        AND k.start_us <= conn.end_us AND k.end_us >= conn.start_us
      GROUP BY conn.id) found
    WHERE found.id = conn.id`)
  await c.db.run(`UPDATE conn SET rule = 1, client_is_a = found.a_us < found.b_us, confidence = 0.9 FROM (
      SELECT id, min(start_us) FILTER (forward) AS a_us, min(start_us) FILTER (NOT forward) AS b_us FROM numbered WHERE opens GROUP BY id) found
    WHERE found.id = conn.id AND conn.rule IS NULL AND found.a_us <> found.b_us`)
  // DHCP (RFC 2131, RFC 8415): the client has a port of its own, too.
  await c.db.run(`UPDATE conn SET rule = 6, client_is_a = a_port IN (68, 546), confidence = 0.9
    WHERE rule IS NULL AND protocol = 17 AND ((a_port, b_port) IN ((67, 68), (68, 67), (546, 547), (547, 546)))`)
}

/**
 * Rule 5: who has many peers, over the whole case, and who began with them. Costs a pass over all records, so only for undecided
 * connections.
 *
 * A listener is sent to before it sends. So of each peer it is counted who began: by the earlier start; where both start together, by a
 * system port at one end; `weak`: both start together, and the peer's port is of no lower tier.
 */
async function judgeByPeers(c: Judged, all: string): Promise<void> {
  await c.db.run(`CREATE OR REPLACE TEMP TABLE undecided AS
    SELECT DISTINCT hi, lo, port, protocol FROM (
      SELECT a_hi AS hi, a_lo AS lo, a_port AS port, protocol FROM conn WHERE rule IS NULL
      UNION ALL SELECT b_hi, b_lo, b_port, protocol FROM conn WHERE rule IS NULL)
    WHERE protocol IN ${portProtocols} AND port IS NOT NULL`)
  const [some] = await c.db.rows('SELECT count(*) AS n FROM undecided')
  if (Number(some?.['n']) === 0) return
  const pkt = c.columns.has('pkt_srcaddr') || c.columns.has('pkt_dstaddr')
  const end = (side: string, half: string): string =>
    pkt ? `coalesce(pkt_${side}addr.${half}, ${side}addr.${half})` : `${side}addr.${half}`
  const flows = `SELECT ${end('src', 'hi')} AS s_hi, ${end('src', 'lo')} AS s_lo, srcport, ${end('dst', 'hi')} AS d_hi, ${end('dst', 'lo')} AS d_lo, dstport, protocol,
      coalesce(epoch_us("start"), 0) AS start_us, packets FROM ${all} WHERE protocol IN ${portProtocols}`
  const tier = (port: string): string => `((${port} >= 1024)::INT + (${port} >= 32768)::INT + (${port} >= 49152)::INT)`
  await c.db.run(`CREATE OR REPLACE TEMP TABLE peers AS
    SELECT hi, lo, port, protocol, count(*) FILTER (calls) AS calls, count(*) FILTER (listens) AS listens,
      count(*) FILTER (weak AND NOT calls AND NOT listens) AS weak FROM (
      SELECT hi, lo, port, protocol,
        coalesce(in_us - out_us > ${apart_us}, false) OR coalesce(together AND peer_port < 1024 AND port >= 1024, false)
          OR coalesce(in_us IS NULL AND out_packets <= ${probePackets} AND port >= 1024, false) AS calls,
        coalesce(out_us - in_us > ${apart_us}, out_us IS NULL) OR coalesce(together AND port < 1024 AND peer_port >= 1024, false) AS listens,
        coalesce(together AND ${tier('port')} <= ${tier('peer_port')}, false) AS weak
      FROM (SELECT *, coalesce(abs(in_us - out_us) <= ${apart_us}, false) AS together FROM (
        SELECT hi, lo, port, protocol, peer_hi, peer_lo, peer_port, min(in_us) AS in_us, min(out_us) AS out_us, sum(out_packets) AS out_packets FROM (
          SELECT u.hi, u.lo, u.port, u.protocol, d_hi AS peer_hi, d_lo AS peer_lo, dstport AS peer_port, NULL::BIGINT AS in_us, start_us AS out_us, packets AS out_packets
          FROM (${flows}) f JOIN undecided u ON u.hi = s_hi AND u.lo = s_lo AND u.port = srcport AND u.protocol = f.protocol
          UNION ALL
          SELECT u.hi, u.lo, u.port, u.protocol, s_hi, s_lo, srcport, start_us, NULL, NULL
          FROM (${flows}) f JOIN undecided u ON u.hi = d_hi AND u.lo = d_lo AND u.port = dstport AND u.protocol = f.protocol)
        GROUP BY ALL)))
    GROUP BY ALL`)
  const listens = (own: string, other: string): string =>
    `(coalesce(${own}.listens + ${own}.weak, 0) >= 3 AND coalesce(${own}.listens + ${own}.weak, 0) >= 3 * coalesce(${other}.listens + ${other}.weak, 0)
      AND (coalesce(${own}.calls, 0) < 3 OR ${own}.listens >= 3 * ${own}.calls))`
  const calls = (own: string): string =>
    `(coalesce(${own}.calls, 0) >= 3 AND coalesce(${own}.calls, 0) >= 3 * coalesce(${own}.listens, 0))`
  await c.db.run(`UPDATE conn SET rule = 5, client_is_a = found.b_serves, confidence = 0.85 FROM (
      SELECT id, ${listens('a', 'b')} OR ${calls('b')} AS a_serves, ${listens('b', 'a')} OR ${calls('a')} AS b_serves
      FROM conn
      LEFT JOIN peers a ON a.hi = a_hi AND a.lo = a_lo AND a.port = a_port AND a.protocol = conn.protocol
      LEFT JOIN peers b ON b.hi = b_hi AND b.lo = b_lo AND b.port = b_port AND b.protocol = conn.protocol
      WHERE rule IS NULL) found
    WHERE found.id = conn.id AND found.a_serves <> found.b_serves`)
}

/** What the numbers of the ladder are called. */
export const roleBases = [
  'syn',
  'listener',
  'aws-service',
  'rejected-attempt',
  'listener',
  'port-number',
  'first-seen',
  'unknown',
  'icmp-error',
] as const

/** The number in the ladder of a basis that only one rule has. */
export function ruleOf(basis: (typeof roleBases)[number]): number {
  return roleBases.indexOf(basis) + 1
}
