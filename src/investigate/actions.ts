/** What the actions of records say of the flow logs that wrote them (AWS: traffic type ACCEPT, REJECT or ALL). */
import type { Case } from '../store/case.ts'
import { notOfParts } from '../store/pulled.ts'
import type { Dossier, Gap, OneSidedLog } from './dossier.ts'

export type Actions = Pick<Dossier, 'one_action' | 'one_sided_logs' | 'one_sided_total'>

/** With the files whose flow log has REJECT records alone, by number. */
interface GatheredActions {
  told: Actions
  rejectOnly: ReadonlySet<number>
}

const logsMax = 100

/** Reads the action of every record of the case, once. */
export async function gatherActions(c: Case): Promise<GatheredActions> {
  if (c.source === 'packets' || !c.columns.has('action'))
    return { told: { one_action: null, one_sided_logs: [], one_sided_total: 0 }, rejectOnly: new Set() }
  const others = notOfParts(c.pulled)
  const behind =
    others === null
      ? ''
      : `
      UNION ALL SELECT _file, sum(records), sum(accepted), sum(rejected) FROM pulled GROUP BY _file`
  const rows = await c.db.rows(`
    WITH files AS (SELECT _file, count(*) AS records, count(*) FILTER (action = 'ACCEPT') AS accepted, count(*) FILTER (action = 'REJECT') AS rejected
      FROM flows${others === null ? '' : ` WHERE ${others}`} GROUP BY _file${behind})
    SELECT coalesce(evidence.subscription, evidence.path) AS log, sum(records) AS records, sum(accepted) AS accepted, sum(rejected) AS rejected,
      string_agg(_file, ' ') AS files
    FROM files JOIN evidence ON evidence.id = files._file GROUP BY log ORDER BY log`)
  const logs = rows.map(row => {
    const records = Number(row['records'])
    const only = (name: string): boolean => Number(row[name]) === records
    const action = only('rejected') ? 'REJECT' : only('accepted') ? 'ACCEPT' : null
    return { log: String(row['log']), records, action } as const
  })
  const actions = new Set(logs.map(({ action }) => action))
  const oneSided = logs.filter((one): one is OneSidedLog => one.action !== null)
  const sorted = [...oneSided].sort((a, b) => (a.action === b.action ? 0 : a.action === 'REJECT' ? -1 : 1))
  const rejectOnly = rows.filter((_, i) => logs[i]!.action === 'REJECT')
  return {
    told: {
      one_action: actions.size === 1 ? logs[0]!.action : null,
      one_sided_logs: sorted.slice(0, logsMax),
      one_sided_total: oneSided.length,
    },
    rejectOnly: new Set(rejectOnly.flatMap(row => String(row['files']).split(' ').map(Number))),
  }
}

/** Where only rejected traffic was recorded, all that was let through is a gap. */
export function rejectedOnlyGap({ one_action }: Actions): Gap[] {
  if (one_action !== 'REJECT') return []
  const detail = 'every record is REJECT: a flow log of traffic type REJECT shows nothing of what was let through'
  return [{ sensor: null, from: null, to: null, reason: 'rejected-only', detail }]
}

/** What one-sided logs beside others leave open. */
export function oneSidedLimits({ one_action, one_sided_logs, one_sided_total }: Actions): string[] {
  if (one_action === 'ACCEPT')
    return ['every record is ACCEPT: a flow log of traffic type ACCEPT shows nothing of what was rejected']
  if (one_action === 'REJECT' || one_sided_total === 0) return []
  const rejects = one_sided_logs.filter(({ action }) => action === 'REJECT')
  if (rejects.length === 0) return []
  const named = rejects.slice(0, 3).map(({ log }) => log)
  const more = rejects.length > named.length ? ` and ${rejects.length - named.length} more` : ''
  return [
    `REJECT records alone: ${named.join(', ')}${more}: what was let through there is only known where another log has it`,
  ]
}
