/** `GET /api/events`, server-sent: what happens that nobody asked for. It begins with what holds: the state of the case, and the jobs. */
export type ServerEvent =
  | { event: 'job'; job: JobState }
  /**
   * `loaded`: all answers are of this state from now on, whoever asked for that. Otherwise the ledger's head has changed, as by `tidemark add`,
   * and answers are of the state before until `POST /api/reload`. Null: there is no case yet.
   */
  | { event: 'case-changed'; head: string | null; loaded: boolean }
  /** The jobs that are kept, told to who begins to listen. */
  | { event: 'jobs'; ids: readonly string[] }
  | { event: 'notes-changed'; revision: number }
  /** A child process died and is started again; `stopped`: too often, and it is not for a while. */
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
