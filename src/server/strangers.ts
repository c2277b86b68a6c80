/** Connections that nobody was let in by yet: a few of them, so that they keep nobody out who brings the token. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export class Strangers {
  private readonly sockets = new Set<Socket>()

  /** @param most beyond that the oldest is ended. */
  constructor(server: Server, most: number) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
      if (this.sockets.size <= most) return
      const [oldest] = this.sockets
      this.sockets.delete(oldest!)
      oldest!.destroy()
    })
  }

  /** A request came that was let in: the connection is none of them any more. */
  letIn(socket: Socket): void {
    this.sockets.delete(socket)
  }
}
