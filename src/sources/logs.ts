import { UserError } from '../errors.ts'
import type { Listed } from './remote.ts'
import type { SourceOptions } from './s3.ts'
import type { LogsUri } from './uri.ts'

export function logsSource({ group }: LogsUri, _options: SourceOptions): Promise<Listed> {
  throw new UserError(`CloudWatch Logs is not read yet: logs://${group}`)
}
