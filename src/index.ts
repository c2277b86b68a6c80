/**
 * Tidemark as a library: everything that the commands do, typed. docs/reference/library.md is made of these doc comments.
 *
 * What works on a case that is open for reading takes a `Case`; what writes to one, or checks it, takes its folder.
 */
export { type CarveOptions, type CarveReport, carve } from './carve/carve.ts'
export type { Wanted } from './carve/selection.ts'
export type {
  Control,
  ControlKind,
  ControlSet,
  ControlsAnswer,
  Missing,
  ProtectedHost,
  ToldRule,
  Trial,
  TrialService,
  TrialSum,
  TriedRules,
} from './controls/control.ts'
export { type ControlsOptions, controls } from './controls/controls.ts'
export { type ConvertOptions, type ConvertReport, convert } from './convert/convert.ts'
export {
  type BaselineAnswer,
  type BaselineComparison,
  type BaselineOptions,
  type ComparedWindow,
  compareWithBaseline,
} from './detect/baseline.ts'
export type {
  BaselineLists,
  Change,
  ChangedService,
  ComparedPair,
  ComparedPeer,
  ComparedPort,
  ComparedService,
  HostVolume,
} from './detect/baseline-lists.ts'
export type { Capability, NotDecidable } from './detect/capability.ts'
export {
  type CaseFinding,
  type Detections,
  type DetectOptions,
  detect,
  listedRules,
  type SuspectHost,
} from './detect/detect.ts'
export type { ListedRule, ListedThreshold, RuleList } from './detect/list-rules.ts'
export {
  type HostPath,
  type PathAnswer,
  type PathEdge,
  type PathHost,
  type PathOptions,
  type PathOutside,
  type PathPossible,
  type PathUndirected,
  type PathVia,
  pathFrom,
} from './detect/path.ts'
export type { SetThreshold } from './detect/thresholds.ts'
export { exitStatus, UserError } from './errors.ts'
export type { AddressChange } from './export/addresses.ts'
export { exportCase } from './export/export.ts'
export type { ExportFormat, ExportKind, ExportOptions, ExportReport } from './export/formats.ts'
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
export type { OrderName as FlowsOrder } from './flows/names.ts'
export type {
  Counting as FlowsCounting,
  FlowsColumn,
  FlowsEngine,
  FlowsRequest,
  FlowsResult,
  FlowsRow,
} from './flows/request.ts'
export type { ListedRow, RowOf } from './flows/row-type.ts'
export { type FlowsOptions, queryFlows } from './flows/run.ts'
export { type SavedQuery, savedQueries, savedQuery, saveQuery } from './flows/saved.ts'
export { type AddOptions, type AddProgress, addEvidence } from './ingest/add.ts'
export type { CorrelationChoice } from './investigate/correlation.ts'
export type * from './investigate/dossier.ts'
export { type InvestigateOptions, investigate } from './investigate/investigate.ts'
export { placesOfPart } from './investigate/part-lines.ts'
export type { SelectionOptions } from './investigate/selection.ts'
export { type Sweep, type SweepOptions, type SweepRow, sweep } from './investigate/sweep.ts'
export { type CaseOverview, overviewOf as caseOverview } from './overview/overview.ts'
export { duckdb } from './query/duckdb-printer.ts'
export type { EvidenceKind } from './records/evidence-kind.ts'
export type { FlowRecord } from './records/fields.ts'
export { toJson } from './report/json.ts'
export type { CaseConnections, Run } from './rules/connections.ts'
export type { CaseEvidence } from './rules/evidence.ts'
export { loadRules, type RuleFile } from './rules/own-rules.ts'
export type { CaseDraft, CaseRule, Need, OwnRule, Score, Tactic, Thresholds } from './rules/rule.ts'
export { type RuleTools, ruleTools } from './rules/tools.ts'
export type { Origin, RemoteFile } from './sources/remote.ts'
export { type Case, type OpenOptions, openCase } from './store/case.ts'
export { readEvidence } from './store/evidence-report.ts'
export { type RemoveOptions, removeEvidence } from './store/remove.ts'
export type * from './store/reports.ts'
export { eachSqlRow, querySql, type SqlOptions, type SqlResult, type SqlRow } from './user-sql/query.ts'
export {
  Places,
  type UnreadLines,
  type Verbatim,
  type VerbatimLine,
  type VerbatimOptions,
  verbatimLines,
} from './verbatim/lines.ts'
export { type VerifyOptions, verifyWhole as verifyCase } from './verify/verify.ts'
