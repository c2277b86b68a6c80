/** The documented views of `tidemark sql`: one table, from which the views, `.schema`, completion and the reference page follow. */
import type { ColumnType } from '../records/column.ts'
import { type FieldRow, flowFields } from '../records/fields.ts'
import { connectionFields, type PacketField, packetFlowFields } from '../records/packet-fields.ts'

export interface ViewColumn {
  name: string
  type: string
  doc: string
}

export interface View {
  name: string
  /** What one row is. */
  doc: string
  columns: readonly ViewColumn[]
}

const typeNames: Record<ColumnType, string> = {
  u8: 'UTINYINT',
  u16: 'USMALLINT',
  u64: 'UBIGINT',
  time: 'TIMESTAMP',
  address: 'address',
  text: 'VARCHAR',
  id: 'VARCHAR',
}

const fileColumn = { name: '_file', type: 'UINTEGER', doc: 'The file it was read from: `id` in `evidence`.' }
const lineColumn = { name: '_line', type: 'UINTEGER', doc: 'Line in that file.' }
const packetColumn = { name: '_line', type: 'UINTEGER', doc: 'Packet in the capture, or record in the nfcapd file.' }

function columnsOf(fields: readonly (FieldRow | PacketField)[]): ViewColumn[] {
  return fields.map(({ name, type, doc }) => ({ name, type: typeNames[type], doc }))
}

function column(name: string, type: string, doc: string): ViewColumn {
  return { name, type, doc }
}

const evidenceColumns = [
  column('id', 'UINTEGER', 'Number that `_file` refers to; null when no record can.'),
  column('path', 'VARCHAR', 'The file as it was named.'),
  column(
    'kind',
    'VARCHAR',
    'vpc-flow-log, vpc-flow-log-parquet, tgw-flow-log, pcap, pcapng or nfcapd; null if none of them.',
  ),
  column('size', 'UBIGINT', 'Bytes on the disk.'),
  column('sha256', 'VARCHAR', 'Of the bytes that were read; null when the file could not be read to its end.'),
  column('lines', 'UBIGINT', 'Lines that are not blank.'),
  column('header_lines', 'UBIGINT', 'Header lines.'),
  column('records', 'UBIGINT', 'Flow records.'),
  column('no_data', 'UBIGINT', 'NODATA lines.'),
  column('skip_data', 'UBIGINT', 'SKIPDATA lines.'),
  column('malformed', 'UBIGINT', 'Lines that could not be read.'),
  column('first_start', 'TIMESTAMP', 'Earliest start of its records.'),
  column('last_end', 'TIMESTAMP', 'Latest end of its records.'),
  column('status', 'VARCHAR', 'read, partly-read, unreadable, duplicate or not-evidence.'),
  column('problem', 'VARCHAR', 'What was wrong; of a duplicate: which file has the same content.'),
  column('layout', 'VARCHAR', 'Field names of its headers or of `--format`.'),
  column('sensors', 'VARCHAR[]', 'Sensors that wrote it, at most 20.'),
  column('sensor_count', 'UBIGINT', 'How many sensors wrote it.'),
  column('expanded_bytes', 'UBIGINT', 'Bytes after decompression.'),
  column('capture', 'JSON', "What a capture held, e.g. `capture->>'packets'`; null for other kinds."),
  column('nfcapd', 'JSON', 'What an nfcapd file held; null for other kinds.'),
  column(
    'table',
    'JSON',
    'What a table of flows (conn.log) held: rows, flow_records, connections; null for other kinds.',
  ),
  column('subscription', 'VARCHAR', 'Id of the flow log, from the name that AWS gave the file.'),
]

const problemColumns = [
  column('path', 'VARCHAR', 'The file.'),
  column(
    'line',
    'UBIGINT',
    'Line, packet or record; null where a place in bytes is known, or the whole file is meant.',
  ),
  column('line_to', 'UBIGINT', 'Last line of a run with the same problem.'),
  column('offset', 'UBIGINT', 'Place in bytes.'),
  column('problem', 'VARCHAR', 'What was wrong.'),
]

const silenceColumns = [
  fileColumn,
  lineColumn,
  column('sensor', 'VARCHAR', 'Sensor that wrote the line.'),
  column('status', 'VARCHAR', 'NODATA: no traffic in the interval. SKIPDATA: records were dropped.'),
  column('start', 'TIMESTAMP', 'Begin of the interval.'),
  column('end', 'TIMESTAMP', 'End of the interval.'),
]

const coverageColumns = [
  column('sensor', 'VARCHAR', 'Interface, resource or attachment; of a case without logs, the capture.'),
  column('first', 'TIMESTAMP', 'Earliest start of what it wrote, NODATA and SKIPDATA lines too.'),
  column('last', 'TIMESTAMP', 'Latest end.'),
  column('records', 'UBIGINT', 'Flow records.'),
  column('no_data', 'UBIGINT', 'NODATA lines.'),
  column('skip_data', 'UBIGINT', 'SKIPDATA lines: every count over such an interval is a floor.'),
  column('holes', 'UBIGINT', 'Times without a line of any kind, longer than 2 minutes (20 at an interval of 10).'),
]

const queryColumns = [
  column('name', 'VARCHAR', 'Its name: `tidemark flows --query NAME` runs it.'),
  column('saved', 'TIMESTAMP', 'When it was saved.'),
  column('filter', 'VARCHAR', 'Its filter, with `$name` for parameters; null when it is for every record.'),
  column('request', 'JSON', "All of it, e.g. `request->>'order'`, as `queryFlows` takes it."),
]

/** What is known of connections of flow logs, beside what those of captures have. */
const logConnectionColumns = [
  column(
    'evidence',
    'VARCHAR',
    'logs: the records of flow logs that count once, chained; packets: of a capture. The two are never added.',
  ),
  column('state', 'VARCHAR', 'Of logs: answered, refused, unanswered or rejected. For captures see `conn_state`.'),
  column(
    'role_confidence',
    'DOUBLE',
    'Of logs: how sure it is who began, up to 1; where `role_basis` is unknown, an end is named all the same.',
  ),
  column(
    'records',
    'UINTEGER',
    'Of logs: records that count, rejected ones too; the first of them is `_file` and `_line`.',
  ),
  column('rejected', 'UINTEGER', 'Of logs: records that were rejected. Packets and bytes are those of accepted ones.'),
  column(
    'at_least',
    'BOOLEAN',
    'Of logs: some accepted records do not say their packets or bytes; the sums are without them, and null where none says.',
  ),
  column('orig_records', 'UINTEGER', 'Of logs: records of the originator.'),
  column('resp_records', 'UINTEGER', 'Of logs: records of the responder.'),
  column(
    'orig_flags',
    'UTINYINT',
    'Of logs: TCP flags of all records of the originator together; null where none has any.',
  ),
  column(
    'resp_flags',
    'UTINYINT',
    'Of logs: TCP flags of all records of the responder together; null where none has any.',
  ),
  column(
    'orig_seen',
    'address',
    'Of logs: the address that a sensor saw in the place of the originator’s, as behind NAT; null: no other.',
  ),
  column('resp_seen', 'address', 'Of logs: the same for the responder.'),
  column('sensors', 'VARCHAR[]', 'Of logs: the sensors whose records count.'),
]

const roleColumns = [
  column('role', 'VARCHAR', 'client or server: which of them the source is; null where that is unknown.'),
  column('service', 'VARCHAR', "IANA's name of the server's port, else e.g. 8022/tcp; null where that is unknown."),
]

export const views: readonly View[] = [
  {
    name: 'flows',
    doc: 'A flow record, as a sensor wrote it. In a case without flow logs: one made of packets.',
    columns: [fileColumn, lineColumn, ...columnsOf(flowFields)],
  },
  {
    name: 'packet_flows',
    doc: 'A flow record made of the packets of a capture, or read from an nfcapd file: one direction of a conversation.',
    columns: [fileColumn, packetColumn, ...columnsOf(packetFlowFields)],
  },
  {
    name: 'connections',
    doc: 'A conversation, both directions together: of flow logs (`evidence` is logs) or in a capture. The first query works out those of logs.',
    columns: [
      fileColumn,
      { ...packetColumn, doc: 'First packet in the capture, or first line in the log.' },
      // Of logs they are sums, which may pass 64 bits.
      ...columnsOf(connectionFields).map(one =>
        /_(packets|bytes)$/.test(one.name) ? { ...one, type: 'HUGEINT' } : one,
      ),
      ...logConnectionColumns,
    ],
  },
  {
    name: 'counted_flows',
    doc: 'A record of `flows` that counts once, as `tidemark flows` counts: no other sensor or file has the same traffic. The first query works it out.',
    columns: [fileColumn, lineColumn, ...columnsOf(flowFields), ...roleColumns],
  },
  { name: 'evidence', doc: 'A file that was added to the case.', columns: evidenceColumns },
  { name: 'problems', doc: 'A place in the evidence that is in no record.', columns: problemColumns },
  { name: 'silence', doc: 'A NODATA or SKIPDATA line.', columns: silenceColumns },
  { name: 'coverage', doc: 'A sensor, with what its logs cover.', columns: coverageColumns },
  {
    name: 'queries',
    doc: 'A saved query of `tidemark flows`; no evidence. If `queries.json` cannot be read, only what names this view fails.',
    columns: queryColumns,
  },
]

export const viewNames: readonly string[] = views.map(view => view.name)
