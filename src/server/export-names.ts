/** Where an export goes, and what its file is called. */
import type { ExportAsk } from './contract/exports.ts'

export interface ExportTask extends ExportAsk {
  path: string
}

export const exportExtensions: Readonly<Record<ExportAsk['to'], string>> = {
  ...{ ocsf: '.ndjson', ecs: '.ndjson', stix: '.json', sigma: '.yml', guardduty: '.json' },
  ...{ csv: '.csv', ndjson: '.ndjson', 'conn-log': '.log' },
}
