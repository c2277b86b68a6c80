import type { AddProgress } from '../ingest/add.ts'
import { durationWords } from '../net/time.ts'
import { integerText, sizeText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import { progressTerminal } from './output.ts'

/** A bar on standard error while something is done; nothing where that is no terminal. */
export interface ProgressBar {
  /** `details` follow the bar. */
  update(done: number, total: number, details: string): void
  /** Removes the bar. Must be called before anything else is printed. */
  stop(): void
}

const silent: ProgressBar = { update() {}, stop() {} }

/** Starts a bar, e.g. `reading  ████░░░░  41%  237 of 579 files`. */
export async function startBar(label: string): Promise<ProgressBar> {
  const stream = progressTerminal()
  if (stream === null) return silent
  const { SingleBar } = (await import('cli-progress')).default
  const bar = new SingleBar({
    stream,
    format: `${label}  {bar}  {percentage}%  {details}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    fps: 8,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours to handle.
  })
  bar.start(1, 0, { details: '' })
  return {
    update(done, total, details) {
      bar.setTotal(Math.max(total, 1))
      bar.update(Math.min(done, Math.max(total, 1)), { details })
    },
    stop: () => bar.stop(),
  }
}

/** What the reading of evidence shows behind the bar. */
export function addDetails(p: AddProgress): string {
  const files = `${integerText(p.files_done)} of ${integerText(p.files_total)} files`
  const rate = p.seconds > 0 ? `${integerText(Math.round(p.records / p.seconds))} records/s` : ''
  const bytes = `${sizeText(p.bytes_done)} of ${sizeText(p.bytes_total)}`
  return [files, bytes, rate, timeLeft(p)].filter(text => text !== '').join('  ')
}

/** Estimated from the bytes; nothing in the first second, when there is too little to go by. */
function timeLeft(p: AddProgress): string {
  if (p.seconds < 1 || p.bytes_done <= 0 || p.bytes_done >= p.bytes_total) return ''
  const seconds = Math.ceil((p.seconds * (p.bytes_total - p.bytes_done)) / p.bytes_done)
  return `${durationWords(seconds)} left`
}

/** Work that is not told how far it is: from its first second on a line says what is done, and for how long, until it is stopped. */
export function startWaiting(what: () => string): { stop(): void } {
  const stream = progressTerminal()
  if (stream === null) return { stop() {} }
  const begun = Date.now()
  let isShown = false
  const show = (): void => {
    const seconds = Math.floor((Date.now() - begun) / 1000)
    isShown = true
    stream.write(`\r\x1b[K${visible(what())} … ${durationWords(seconds)}`)
  }
  const timer = setInterval(show, 1000)
  return {
    stop: () => {
      clearInterval(timer)
      if (isShown) stream.write('\r\x1b[K')
      isShown = false
    },
  }
}
