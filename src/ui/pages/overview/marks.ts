/** Findings as the lane above the timeline draws them, once the rules have run. */
import { useMemo } from 'preact/hooks'
import type { FindingBrief } from '../../../server/contract/findings.ts'
import { windowAround } from '../../finding-time.ts'
import { useFound } from '../../parts/found.ts'
import type { Mark } from './lane.tsx'

export function useMarks(): readonly Mark[] {
  const { brief } = useFound()
  return useMemo(() => brief.flatMap(markOf), [brief])
}

function markOf(finding: FindingBrief): Mark[] {
  const { id, severity, title } = finding
  const around = windowAround(finding)
  return around === null ? [] : [{ id, severity, ...around, title }]
}
