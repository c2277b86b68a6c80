/** What is watched: a folder, a bucket, a queue; and which options are of which. */
import { statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { errorCode, exitStatus, UserError } from '../errors.ts'
import { isQueueUri, isSourceUri, parseQueueUri, parseSourceUri } from '../sources/uri.ts'
import type { OwnObjects, Watched } from '../watch/watch.ts'
import { type AwsCliOptions, awsOptionsOf } from './source-options.ts'

export interface SourceOptions extends AwsCliOptions {
  settle: number
  /** Whether `settle` is no default. */
  isSettleGiven?: true
  /** True without a value. */
  poll?: number | true
  since?: string
  late?: number
  sourceAccount?: string[]
  sourceRegion?: string[]
}

const pollByDefault = 10_000
const listByDefault = 60_000
const lateByDefault = 86_400_000

/** @throws UserError (status 2) for what cannot be watched, and for options that say nothing of it. */
export async function sourceOf(name: string, options: SourceOptions): Promise<Watched> {
  if (isQueueUri(name)) {
    refuse(options, 'sqs://', ['isSettleGiven', 'poll', 'since', 'late'])
    return { kind: 'sqs', uri: parseQueueUri(name), aws: awsOptionsOf(options), ...ownObjects(options) }
  }
  const { poll, settle, since = null, late = lateByDefault } = options
  if (!isSourceUri(name)) {
    refuse(options, 'a folder', ['since', 'late', 'sourceAccount', 'sourceRegion', 'requestPayer'])
    return {
      kind: 'folder',
      folder: await folderOf(name),
      settle,
      poll: poll === true ? pollByDefault : (poll ?? null),
    }
  }
  const uri = parseSourceUri(name)
  if (uri.kind !== 's3')
    throw usage(
      `a group of CloudWatch Logs cannot be watched: ${name}`,
      'let a flow log write to S3, and watch s3://BUCKET/PREFIX; or run tidemark add every hour',
    )
  refuse(options, 's3://', ['isSettleGiven'])
  const every = poll === undefined || poll === true ? listByDefault : poll
  return { kind: 's3', uri, aws: awsOptionsOf(options), late, since, every, ...ownObjects(options) }
}

/** As it is said, and remembered in the folder of the watch. */
export function nameOf(source: Watched): string {
  if (source.kind === 'folder') return source.folder
  if (source.kind === 's3') return `s3://${source.uri.bucket}/${source.uri.prefix}`
  const { name, account, region } = source.uri
  return `sqs://${account === null ? '' : `${account}/`}${name}${region === null ? '' : `?region=${region}`}`
}

function ownObjects({ sourceAccount: accounts, sourceRegion: regions }: SourceOptions): OwnObjects {
  return { ...(accounts !== undefined && { accounts }), ...(regions !== undefined && { regions }) }
}

const spelled = {
  isSettleGiven: ['--settle', 'a folder'],
  poll: ['--poll', 'a folder or s3://'],
  since: ['--since', 's3://'],
  late: ['--late', 's3://'],
  sourceAccount: ['--source-account', 's3:// and sqs://'],
  sourceRegion: ['--source-region', 's3:// and sqs://'],
  requestPayer: ['--request-payer', 's3:// and sqs://'],
} as const

/** What says nothing of a source must not seem to do something. */
function refuse(options: SourceOptions, source: string, names: readonly (keyof typeof spelled)[]): void {
  const idle = names.find(name => options[name] !== undefined)
  if (idle === undefined) return
  const [option, whose] = spelled[idle]
  throw usage(`${option} is of ${whose}, and ${source} is watched`, 'leave it out')
}

/** @throws UserError (status 2) for what is no folder. */
async function folderOf(name: string): Promise<string> {
  try {
    if (statSync(name).isDirectory()) return await realpath(name)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error
    throw usage(`no such folder: ${name}`, 'check the path; a bucket is s3://BUCKET/PREFIX, a queue sqs://NAME')
  }
  throw usage(
    `a file where a folder is expected: ${name}`,
    'name the folder in which files arrive; tidemark add reads a single file',
  )
}

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}
