/** `GET /api/events`, server-sent: what happens that nobody asked for. */
export type ServerEvent =
  | { event: 'job'; job: JobState }
  /** The ledger's head has changed: somebody added evidence. */
  | { event: 'case-changed'; head: string }
  /** A child process died and is started again; `stopped`: too often, and it is not. */
  | { event: 'child-died'; child: string; why: string; stopped: boolean }

/** Work that takes longer than a request should. */
export interface JobState {
  id: string
  kind: string
  /** What it does, for people. */
  title: string
  state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped'
  /** What is being done now. */
  doing: string | null
  done: number | null
  of: number | null
  started: string
  error?: string
  hint?: string
}
