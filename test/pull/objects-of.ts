/** Objects of the stand-in's bucket, as they would be found in S3. */
import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RemoteFile } from '../../src/sources/remote.ts'

export function objectsOf(folder: string): (uris: readonly string[]) => Promise<RemoteFile[]> {
  return async uris =>
    uris.map((uri): RemoteFile => {
      const from = join(folder, uri.slice('s3://bucket/'.length))
      const bytes = readFileSync(from)
      const [size, etag] = [bytes.length, createHash('md5').update(bytes).digest('hex')]
      return {
        ...{ path: uri, named: true, size, etag },
        fetch: async to => {
          copyFileSync(from, to)
          return { uri, etag, size, version_id: null }
        },
      }
    })
}
