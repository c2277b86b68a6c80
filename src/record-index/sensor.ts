/** Who recorded a flow. One rule for all who ask. */
import { sensorFields } from '../records/sensor.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { recordsBehind } from '../store/pulled.ts'

/**
 * Whether some flow logs name no observation point: what else they have must distinguish them. Asked of the files, not of the segments:
 * which files share one depends on how they were added.
 */
export function lacksSensors({ evidence, pulled }: Pick<Case, 'evidence' | 'pulled'>): boolean {
  return evidence.some(file => {
    const { id, kind, sensor_count } = file
    const sensors = (id === null ? undefined : pulled?.parts.get(id)?.sensors) ?? sensor_count
    return id !== null && recordsBehind(file, pulled) > 0 && sensors === 0 && kind?.includes('flow-log') === true
  })
}

/**
 * SQL for the sensor of a flow record: null where nothing shows it.
 *
 * A custom format need not have an interface. An instance then stands for its interfaces; else a subnet and the direction, for the two
 * ends of a flow within one subnet record it as egress and as ingress.
 *
 * Of the columns only those that the case has are named: a bare column is grouped by its dictionary, at half the cost of an expression.
 */
export function sensorSql(c: Pick<Case, 'columns' | 'evidence' | 'pulled'>): string {
  const present = (names: readonly string[]): string[] => names.filter(name => c.columns.has(name)).map(quotedName)
  const terms = present(sensorFields)
  if (lacksSensors(c)) {
    terms.push(...present(['instance_id']))
    const rest = present(['subnet_id', 'flow_direction'])
    if (rest.length > 0) terms.push(`nullif(concat_ws(' ', ${rest.join(', ')}), '')`)
  }
  if (terms.length === 0) return 'NULL::VARCHAR'
  return terms.length === 1 ? terms[0]! : `coalesce(${terms.join(', ')})`
}
