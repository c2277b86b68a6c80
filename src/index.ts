/** Tidemark as a library: read evidence into a case, investigate addresses in it, and ask for its flow records. */
export { exitStatus, UserError } from './errors.ts'
export type { Filter, Node as FilterNode } from './filter/ast.ts'
export { type CompileContext, type Compiled, compile as compileFilter } from './filter/compile.ts'
export {
  type Completion,
  type CompletionContext,
  type Completions,
  complete as completeFilter,
} from './filter/complete.ts'
export { completionContext, contextOf, countMatches, type Matches, recordsFor, type View } from './filter/context.ts'
export { FilterError } from './filter/error.ts'
export { explain as explainFilter } from './filter/explain.ts'
export { type ParseOptions, parse as parseFilter } from './filter/filter.ts'
export { print as printFilter } from './filter/print.ts'
export { loadSets, type ValueSet } from './filter/set.ts'
export {
  completeFlows,
  type FlowsCompletionContext,
  type FlowsPlace,
} from './flows/complete.ts'
export { flowsCompletionContext } from './flows/context.ts'
export { type Explained as ExplainedFlows, explainFlows } from './flows/explain.ts'
export type {
  Counting as FlowsCounting,
  FlowsColumn,
  FlowsRequest,
  FlowsResult,
  FlowsRow,
} from './flows/request.ts'
export { type FlowsOptions, queryFlows } from './flows/run.ts'
export { savedQueries, savedQuery, saveQuery } from './flows/saved.ts'
export { type VerifyOptions, verifyWhole as verifyCase } from './flows/verify.ts'
export { type AddOptions, type AddProgress, addEvidence } from './ingest/add.ts'
export type * from './investigate/dossier.ts'
export { type InvestigateOptions, investigate } from './investigate/investigate.ts'
export { type CaseOverview, overviewOf } from './overview/overview.ts'
export { duckdb } from './query/duckdb-printer.ts'
export type { FlowRecord } from './records/fields.ts'
export { type Case, openCase } from './store/case.ts'
export { readEvidence } from './store/evidence-report.ts'
export { type RemoveOptions, removeEvidence } from './store/remove.ts'
export type * from './store/reports.ts'
