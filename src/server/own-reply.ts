import type { ServerResponse } from 'node:http'

/** An answer that is no JSON: it writes itself. */
export class OwnReply {
  readonly write: (response: ServerResponse) => void | Promise<void>

  constructor(write: (response: ServerResponse) => void | Promise<void>) {
    this.write = write
  }
}
