/** What the rules found in the whole case, in short, for all parts of a page that name a finding. */
import type { FindingBrief, FindingsAnswer, FindingsState } from '../../server/contract/findings.ts'
import type { DossierFinding, ListPage } from '../../server/contract/host.ts'
import { caseHead, findingsPath, get, jobs, useAnswer } from '../api.ts'

export interface AllFound {
  /** Null: the rules have not run yet. */
  found: FindingsAnswer | null
  brief: readonly FindingBrief[]
}

const none: AllFound = { found: null, brief: [] }

export function useFound(): AllFound {
  const head = caseHead.value
  const runs = [...jobs.value.values()].filter(({ kind }) => kind === 'findings')
  const key = head === '' ? null : `found ${head} ${runs.map(({ id, state }) => `${id} ${state}`).join()}`
  const answered = useAnswer<AllFound>(key, async signal => {
    const { found } = await get<FindingsState>(findingsPath(head), signal)
    if (found === null) return none
    const brief: FindingBrief[] = []
    while (brief.length < found.findings_total) {
      const path = `/api/findings/${found.id}/brief?from=${brief.length}&count=1000`
      const { rows } = await get<ListPage<FindingBrief>>(path, signal)
      if (rows.length === 0) break
      brief.push(...rows)
    }
    return { found, brief }
  })
  return answered.value ?? none
}

/** What the findings of a dossier are called on the page: by the case's number, or unlike any of these. */
export function namesOf(findings: readonly DossierFinding[], brief: readonly FindingBrief[]): Map<string, string> {
  return new Map(findings.map(one => [one.id, sameInCase(one, brief)?.id ?? `dossier ${one.id.slice(1)}`]))
}

/** The same words with these names; options of commands keep the dossier's own. */
export function renamed<Words>(words: Words, names: ReadonlyMap<string, string>): Words {
  const text = JSON.stringify(words).replace(/(?<!--(?:lines|finding) )\bF\d+\b/g, id => names.get(id) ?? id)
  return JSON.parse(text) as Words
}

/** The finding of the whole case that one of a dossier is: same rule and hosts, in the same time. */
export function sameInCase(
  { caseRule, hosts, first_start, last_end }: Pick<DossierFinding, 'caseRule' | 'hosts' | 'first_start' | 'last_end'>,
  brief: readonly FindingBrief[],
): FindingBrief | null {
  const same = brief.filter(
    one =>
      one.rule === caseRule &&
      one.hosts.join(' ') === hosts.join(' ') &&
      (one.last_end ?? '') >= (first_start ?? '') &&
      (one.first_start ?? '') <= (last_end ?? ''),
  )
  return same.find(one => one.first_start === first_start) ?? same[0] ?? null
}
