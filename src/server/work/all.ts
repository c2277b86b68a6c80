/** Who answers which kind of question in a work process. Each area is loaded when it is first asked: a process is ready the sooner. */
import type { Case } from '../../store/case.ts'
import type { Answerer } from '../answering.ts'

type Work = Readonly<Record<string, Answerer<Case>>>

interface Area {
  kinds: readonly string[]
  load(): Promise<Work>
}

export const workAreas: readonly Area[] = [
  { kinds: ['case', 'complete', 'explain', 'swap'], load: async () => (await import('./case.ts')).caseWork },
  { kinds: ['controls', 'try-rules'], load: async () => (await import('./controls.ts')).controlsWork },
  { kinds: ['coverage'], load: async () => (await import('./coverage.ts')).coverageWork },
  { kinds: ['evidence', 'problems'], load: async () => (await import('./evidence.ts')).evidenceWork },
  { kinds: ['export'], load: async () => (await import('./exports.ts')).exportsWork },
  { kinds: ['fields', 'field', 'few values'], load: async () => (await import('./fields.ts')).fieldsWork },
  { kinds: ['findings'], load: async () => (await import('./findings.ts')).findingsWork },
  { kinds: ['rows', 'rows at'], load: async () => (await import('./flows.ts')).flowsWork },
  { kinds: ['dossier', 'connection'], load: async () => (await import('./host.ts')).hostWork },
  {
    kinds: ['panels', 'why', 'judged', 'services', 'judge', 'gaps'],
    load: async () => (await import('./panels.ts')).panelsWork,
  },
  { kinds: ['packets-file'], load: async () => (await import('./packet-files.ts')).packetFilesWork },
  { kinds: ['record'], load: async () => (await import('./record.ts')).recordWork },
  { kinds: ['report'], load: async () => (await import('./report.ts')).reportWork },
  { kinds: ['rows-file', 'sql-file'], load: async () => (await import('./row-files.ts')).rowFilesWork },
]

const lazily =
  ({ load }: Area, kind: string): Answerer<Case> =>
  async (c, question, context) =>
    (await load())[kind]!(c, question, context)

export const allWork: Work = Object.fromEntries(
  workAreas.flatMap(area => area.kinds.map(kind => [kind, lazily(area, kind)])),
)
