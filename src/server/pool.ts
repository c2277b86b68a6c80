/** Child processes of one kind: a question goes to the one with the fewest, and each starts again after it died. */
import { Child, type ChildSettings } from './child.ts'
import type { Progress } from './message.ts'

export interface AskOptions {
  signal?: AbortSignal
  /** After that the child is killed; by default 120. */
  seconds?: number
  onProgress?: (progress: Progress) => void
}

export class Pool {
  private readonly children: Child[]

  constructor(count: number, settings: ChildSettings) {
    this.children = Array.from({ length: count }, () => new Child(settings))
  }

  /** @throws AnswerError; the signal's reason. */
  ask(kind: string, question: unknown, options: AskOptions = {}): Promise<unknown> {
    const [least] = [...this.children].sort((a, b) => a.waiting - b.waiting)
    return least!.ask(kind, question, options)
  }

  /** Ends the processes; they start again at the next question, on the case as it is then. */
  async restart(): Promise<void> {
    await Promise.all(this.children.map(child => child.end()))
  }

  async close(): Promise<void> {
    await Promise.all(this.children.map(child => child.close()))
  }
}
