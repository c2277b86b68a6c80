/** What is found through the sieve, and without it, to be compared. */
import { join } from 'node:path'
import { type Detections, detect } from '../../src/detect/detect.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { toJson } from '../../src/report/json.ts'
import { type EngineDetections, type EngineDetectOptions, engineDetection } from '../../src/sieve/engine-detection.ts'
import type { Case } from '../../src/store/case.ts'

/** Without places of the evidence, and the SQL, which names files. */
export function foundIn({ findings, hosts, findings_other }: Detections): unknown {
  const told = findings.map(({ basis: _, sql: __, ...finding }) => finding)
  return JSON.parse(toJson({ findings: told, hosts, findings_other }))
}

/** @param dir a folder for the case of what is pulled. */
export async function throughSieve(
  engine: Engine,
  dir: string,
  options: Omit<EngineDetectOptions, 'case'> = {},
): Promise<EngineDetections> {
  return (await engineDetection(engine, { ...options, case: join(dir) })).run()
}

/** The same rules on all records. */
export function withoutSieve(
  local: Case,
  { engine }: EngineDetections,
  { set, internal, scanners, hosts, minSeverity, filter }: Omit<EngineDetectOptions, 'case'> = {},
): Promise<Detections> {
  return detect(local, {
    rules: engine.rules.map(({ rule }) => rule),
    ...(set !== undefined && { set }),
    ...(internal !== undefined && { internal }),
    ...(scanners !== undefined && { scanners }),
    ...(hosts !== undefined && { hosts }),
    ...(minSeverity !== undefined && { minSeverity }),
    ...(filter !== undefined && { filter }),
  })
}
