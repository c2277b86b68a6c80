/** Server-sent events: what happens goes to every page that listens. */
import type { ServerResponse } from 'node:http'
import type { ServerEvent } from './contract/events.ts'
import { toLine } from './json-line.ts'

const beatMilliseconds = 15_000

export class EventStream {
  private readonly listeners = new Set<ServerResponse>()
  private readonly beat = setInterval(() => this.write(': still here\n\n'), beatMilliseconds).unref()

  send(event: ServerEvent): void {
    this.write(`data: ${toLine(event)}\n\n`)
  }

  listen(response: ServerResponse, past: readonly ServerEvent[]): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(past.map(event => `data: ${toLine(event)}\n\n`).join('') || ': hello\n\n')
    this.listeners.add(response)
    response.on('close', () => this.listeners.delete(response))
  }

  close(): void {
    clearInterval(this.beat)
    for (const response of this.listeners) response.end()
    this.listeners.clear()
  }

  private write(text: string): void {
    for (const response of this.listeners) response.write(text)
  }
}
