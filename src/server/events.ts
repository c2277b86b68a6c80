/** Server-sent events: what happens goes to every page that listens. https://html.spec.whatwg.org/multipage/server-sent-events.html */
import type { ServerResponse } from 'node:http'
import type { ServerEvent } from './contract/events.ts'
import { toLine } from './json-line.ts'
import { busy } from './message.ts'

const beatMilliseconds = 15_000
const listenersMax = 200
/** What a page may leave unread: then its stream is ended, and it asks for another, which begins with all that holds. */
const unreadBytesMax = 1 << 20

export class EventStream {
  private readonly listeners = new Set<ServerResponse>()
  private readonly beat = setInterval(() => this.write(': still here\n\n'), beatMilliseconds).unref()

  send(event: ServerEvent): void {
    this.write(textOf(event))
  }

  /** @param past what holds already. */
  listen(response: ServerResponse, past: readonly ServerEvent[]): void {
    if (this.listeners.size >= listenersMax) throw busy(`${listenersMax} pages listen already`)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`retry: 1000\n\n${past.map(textOf).join('')}`)
    this.listeners.add(response)
    response.on('close', () => this.listeners.delete(response))
  }

  close(): void {
    clearInterval(this.beat)
    for (const response of this.listeners) response.end()
    this.listeners.clear()
  }

  private write(text: string): void {
    for (const response of this.listeners) {
      if (response.writableLength > unreadBytesMax) response.destroy()
      else response.write(text)
    }
  }
}

function textOf(event: ServerEvent): string {
  return `data: ${toLine(event)}\n\n`
}
