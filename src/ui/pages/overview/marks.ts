/** Findings as the lane above the timeline draws them, once the rules have run. */
import { useMemo } from 'preact/hooks'
import type { FindingsState, FoundInCase } from '../../../server/contract/findings.ts'
import type { ListPage } from '../../../server/contract/host.ts'
import { caseHead, findingsPath, get, jobs, useAnswer } from '../../api.ts'
import { windowAround } from '../../finding-time.ts'
import type { Mark } from './lane.tsx'

/** The gravest are drawn. */
const marksMost = 200

export function useMarks(): readonly Mark[] {
  const head = caseHead.value
  const runs = [...jobs.value.values()].filter(({ kind }) => kind === 'findings')
  const key = head === '' ? null : `marks ${head} ${runs.map(({ id, state }) => `${id} ${state}`).join()}`
  const found = useAnswer<readonly FoundInCase[]>(key, async signal => {
    const state = await get<FindingsState>(findingsPath(head), signal)
    if (state.found === null) return []
    const path = `/api/findings/${state.found.id}/findings?from=0&count=${marksMost}`
    return (await get<ListPage<FoundInCase>>(path, signal)).rows
  })
  return useMemo(() => (found.value ?? []).flatMap(markOf), [found.value])
}

function markOf(finding: FoundInCase): Mark[] {
  const around = windowAround(finding)
  return around === null ? [] : [{ severity: finding.severity, ...around, title: finding.title }]
}
