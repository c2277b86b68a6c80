/** What a watch says on standard error: a line for each thing that happens, and on a terminal one that is kept up to date. */
import { countText, integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import type { Health } from '../watch/health.ts'
import { note } from './output.ts'
import { startWaiting } from './progress.ts'

export class StatusLine {
  private text: string
  private waiting: { stop(): void }
  private telling: Promise<void> = Promise.resolve()

  constructor(source: string) {
    this.text = `watching ${source}`
    this.waiting = startWaiting(() => this.text)
  }

  show({ source, source_problem, read, waiting_files, unread, alerts }: Health): void {
    const parts = [
      `${countText(read.files, 'file')} with ${countText(read.records, 'record')} read`,
      ...(waiting_files > 0 ? [`${integerText(waiting_files)} to come`] : []),
      ...(unread.total > 0 ? [`${integerText(unread.total)} not readable`] : []),
      ...(source_problem === null ? [] : [`a problem with the source since ${source_problem.since}`]),
      `${countText(alerts.made, 'alert')}${alerts.waiting > 0 ? `, ${integerText(alerts.waiting)} on their way` : ''}`,
    ]
    this.text = `watching ${source}: ${parts.join(', ')}`
  }

  /** One line, or those of a stack. */
  note(text: string): void {
    this.waiting.stop()
    const lines = text.split('\n').map(line => visible(line))
    this.telling = this.telling.then(() => note(`tidemark: ${lines.join('\n  ')}`)).catch(() => undefined)
    this.waiting = startWaiting(() => this.text)
  }

  async end(): Promise<void> {
    this.waiting.stop()
    await this.telling
  }
}
