/** A thread of rules over a case: does the steps that it is given, one after the other. */
import { workerData } from 'node:worker_threads'
import { KeptConnections } from '../conversations/kept-connections.ts'
import { serve } from '../store/crew.ts'
import { openSame } from '../store/section-file.ts'
import { CaseWork } from './case-work.ts'
import { rulesInForce } from './rules-in-force.ts'
import type { ThreadSettings } from './run.ts'

const { path, digest, rules, settings } = workerData as ThreadSettings
serve(async () => {
  const { rules: some } = await rulesInForce(rules)
  return new CaseWork(settings, new KeptConnections(openSame(path, digest)), some)
})
