/** A server that speaks as much of Trino's protocol as its client needs, and does what a test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Heard {
  method: string
  path: string
  body: string
  headers: IncomingMessage['headers']
}

/** What is answered: a status with a body, or a broken connection. */
export type Reply =
  | { status?: number; body?: object | string; headers?: Record<string, string>; wait_ms?: number }
  | 'break'

export interface Stub {
  origin: string
  heard: Heard[]
  close(): Promise<void>
}

/** @param answer to what was heard; `origin` is where the server is. */
export async function startStub(answer: (heard: Heard, origin: string) => Reply): Promise<Stub> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const one = {
        method: request.method!,
        path: request.url!,
        body: Buffer.concat(pieces).toString(),
        headers: request.headers,
      }
      heard.push(one)
      reply(response, answer(one, origin))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    heard,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function reply(response: ServerResponse, what: Reply): void {
  if (what === 'break') {
    response.destroy()
    return
  }
  const { status = 200, body = {}, headers = {}, wait_ms = 0 } = what
  setTimeout(() => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }, wait_ms)
}
