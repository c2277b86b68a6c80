/**
 * Traffic that the rules over a whole case are tried on: what each must find, and benign twins that it must pass over. A twin differs in
 * one thing, on the other side of one threshold. All of it stands in one log; each scenario has hosts of its own.
 *
 * Each rule has a folder, named like it, with a file that exports its `scenarios`.
 */
import { caseRules } from '../../src/rules/all.ts'
import type { Scenario } from './flows.ts'

const folders = caseRules.map(({ name }) => name.toLowerCase())
const files = await Promise.all(
  folders.map((folder): Promise<{ scenarios: readonly Scenario[] }> => import(`./${folder}/scenarios.ts`)),
)

export const scenarios: readonly Scenario[] = files.flatMap(file => file.scenarios)
