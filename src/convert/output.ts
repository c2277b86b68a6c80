import { statSync } from 'node:fs'
import type { MeteredFlow } from '../meter/metered-flow.ts'

/** Takes flow records as they end, and writes them. Nothing of a record may be kept: it is reused. */
export interface FlowOutput {
  add(record: MeteredFlow): void
  /** Rows written, where records become one. */
  readonly rows?: number
  /** Called when every record of an aggregation interval, or of a capture, has been given. */
  border?(): void
  /** Called between pieces of a capture: the time to do what has to be waited for. */
  settle?(): Promise<void>
  /** After the last record: the output is complete. */
  finish(): Promise<void>
  /** The output is not wanted any more: nothing of it may stay. */
  abandon(): void
}

/** Whether the path is a folder, or says that it shall be one. */
export function isFolder(path: string): boolean {
  if (/[/\\]$/.test(path)) return true
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
