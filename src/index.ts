/** Tidemark as a library: read evidence into a case, and investigate addresses in it. */
export { exitStatus, UserError } from './errors.ts'
export type { FlowRecord } from './flow/fields.ts'
export { type AddOptions, type AddProgress, addEvidence } from './ingest/add.ts'
export type * from './investigate/dossier.ts'
export { type InvestigateOptions, investigate } from './investigate/investigate.ts'
export { type Case, openCase, readEvidence } from './store/case.ts'
export type * from './store/reports.ts'
export { verifyCase } from './store/verify.ts'
