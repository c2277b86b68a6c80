import type { SourceBytes } from '../input/read.ts'
import { clipped } from '../store/clipped.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import type { FileTask } from './messages.ts'

/** Of what an account tells in words: it goes into the ledger, whose size evidence must not decide. */
export const sensorsShownMax = 20
const sensorLengthMax = 64
const problemLengthMax = 8192
const layoutLengthMax = 8192

/** The file's account, with nothing in it but what is given. */
export function account(
  task: FileTask,
  source: SourceBytes | null,
  known: Partial<EvidenceEntry> & Pick<EvidenceEntry, 'status'>,
): EvidenceEntry {
  const kept = known.status === 'read' || known.status === 'partly-read' || (known.malformed ?? 0) > 0
  const { status, problem = null, kind = null } = known
  return {
    id: kept ? task.id : null,
    path: task.path,
    named: task.named,
    archive: task.archive,
    origin: task.origin,
    path_bytes: task.rawPath === null ? null : Buffer.from(task.rawPath).toString('hex'),
    kind,
    size: source?.size ?? task.size,
    sha256: known.sha256 === undefined ? (source?.sha256 ?? null) : known.sha256,
    lines: known.lines ?? 0,
    header_lines: known.header_lines ?? 0,
    records: known.records ?? 0,
    no_data: known.no_data ?? 0,
    skip_data: known.skip_data ?? 0,
    malformed: known.malformed ?? 0,
    first_start: known.first_start ?? null,
    last_end: known.last_end ?? null,
    status,
    problem: problem === null ? null : clipped(problem, problemLengthMax),
    layout: known.layout == null ? null : clipped(known.layout, layoutLengthMax),
    sensors: (known.sensors ?? []).map(sensor => clipped(sensor, sensorLengthMax)),
    sensor_count: known.sensor_count ?? 0,
    expanded_bytes: known.expanded_bytes ?? 0,
    form: known.form ?? null,
    capture: known.capture ?? null,
    flow_table: known.flow_table ?? null,
    nfcapd: known.nfcapd ?? null,
  }
}
