/** A question on its way to a child and back. */
import type { JsonText } from './json-line.ts'
import type { Progress } from './message.ts'

export interface AskOptions {
  signal?: AbortSignal
  /** Longest time in the child; by default 120. */
  seconds?: number
  onProgress?: (progress: Progress) => void
  /** Whether it is asked again where its process died without being the reason: for what only reads. By default it is, unless it tells its progress. */
  again?: boolean
  /** Whether an answer is waited for after the signal too: work that ends in good order. */
  endsItself?: boolean
  /** Whether it takes milliseconds: it is asked before the longer ones that wait, as somebody types while rows are looked up. */
  brief?: boolean
}

const secondsUsual = 120

export class Asked {
  readonly kind: string
  readonly question: unknown
  readonly options: AskOptions
  readonly seconds: number
  readonly answer: Promise<JsonText>
  /** How often a child was given it. */
  starts = 0
  isSettled = false
  private give!: (answer: JsonText) => void
  private refuse!: (error: unknown) => void

  constructor(kind: string, question: unknown, options: AskOptions) {
    this.kind = kind
    this.question = question
    this.options = options
    this.seconds = options.seconds ?? secondsUsual
    this.answer = new Promise((resolve, reject) => {
      this.give = resolve
      this.refuse = reject
    })
  }

  /** A share of a child's attention: what tells its progress takes long. */
  get weight(): number {
    return this.options.onProgress === undefined ? 1 : 4
  }

  get mayBeAskedAgain(): boolean {
    return !this.isSettled && this.starts < 2 && (this.options.again ?? this.options.onProgress === undefined)
  }

  resolve(answer: JsonText): void {
    this.isSettled = true
    this.give(answer)
  }

  reject(error: unknown): void {
    this.isSettled = true
    this.refuse(error)
  }
}
