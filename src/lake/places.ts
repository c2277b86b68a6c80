/** What lies in a folder of this machine or of a bucket, to be looked at without copying it. */
import { s3Client } from '../aws/clients.ts'
import type { AwsOptions } from '../aws/options.ts'
import { objectPart } from '../aws/s3-object.ts'
import { readPart } from '../disk/reading.ts'
import { UserError } from '../errors.ts'
import { findFiles } from '../input/walk.ts'
import { listObjects } from '../sources/list.ts'
import type { S3Uri } from '../sources/uri.ts'
import { type Manifest, manifestBytesMax, manifestIn, manifestPath, readManifests, unreadable } from './manifests.ts'

export interface LakeFile {
  /** Relative to what is looked at. */
  path: string
  size: number
  /** Why it cannot be read; null: it can. */
  problem: string | null
  /** Some of its bytes, fewer at its end. */
  readAt(from: number, length: number): Uint8Array | Promise<Uint8Array>
}

export interface LakePlace {
  files: LakeFile[]
  /** What was pushed there. */
  manifests: Manifest[]
  close(): void
}

/** @throws UserError (status 2) where the folder is not there; for a manifest that cannot be read. */
export async function folderPlace(folder: string, signal?: AbortSignal): Promise<LakePlace> {
  const found = await findFiles([folder], { isLedger: () => false, ...(signal && { signal }) })
  const root = folder.replace(/\/+$/, '')
  const files = found.map(
    (file): LakeFile => ({
      ...{ path: file.path.slice(root.length + 1), size: file.size },
      problem: file.problem ?? (file.rawPath === null ? null : 'its name is not UTF-8'),
      readAt: (from, length) => readPart(file.path, from, length),
    }),
  )
  return { files, manifests: await readManifests(folder), close: () => undefined }
}

/** @throws AwsError; UserError (status 2) where nothing is there; for a manifest that cannot be read. */
export async function bucketPlace({ bucket, prefix }: S3Uri, aws: AwsOptions, signal: AbortSignal): Promise<LakePlace> {
  const root = prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`
  const uri = `s3://${bucket}/${root}`
  const requestPayer = aws.requestPayer === true
  const s3 = await s3Client(aws)
  try {
    const { objects, leftOut, foldersLeftOut } = await listObjects(
      s3,
      { kind: 's3', bucket, prefix: root },
      // Logs of other services, as of CloudTrail, often share the bucket: they are in no folder of a table.
      { narrowing: {}, requestPayer, signal },
    )
    if (objects.length === 0)
      throw new UserError(
        leftOut + foldersLeftOut > 0 ? `no flow logs are there: ${uri}` : `nothing is there: ${uri}`,
        {
          ...{ status: 2, hint: 'name the folder that holds AWSLogs' },
        },
      )
    const files = objects.map(
      ({ key, size }): LakeFile => ({
        ...{ path: key.slice(root.length), size, problem: null },
        readAt: (from, length) =>
          objectPart(s3, { bucket, key, from, length: Math.min(length, size - from) }, { requestPayer, signal }),
      }),
    )
    const manifests: Manifest[] = []
    for (const { path, size, readAt } of files) {
      if (!manifestPath.test(path)) continue
      if (size > manifestBytesMax) throw unreadable(`${uri}${path}`, `larger than ${manifestBytesMax >> 20} MiB`)
      manifests.push(manifestIn(`${uri}${path}`, await readAt(0, size)))
    }
    return { files, manifests, close: () => s3.client.destroy() }
  } catch (error) {
    s3.client.destroy()
    throw error
  }
}
