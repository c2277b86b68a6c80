import type { Listed } from './remote.ts'
import { type SourceOptions, s3Source } from './s3.ts'
import { parseSourceUri } from './uri.ts'

/**
 * What lies under a name in S3 or CloudWatch Logs, listed.
 *
 * @throws UserError for what is no such name, and where there is nothing; AwsError.
 */
export async function openSource(text: string, options: SourceOptions): Promise<Listed> {
  const uri = parseSourceUri(text)
  if (uri.kind === 's3') return s3Source(uri, options)
  const { logsSource } = await import('./logs.ts')
  return logsSource(uri, options)
}
