import { UserError } from '../errors.ts'

/** How AWS is reached: what the user said. What is absent comes from where the AWS tools look: environment, profiles, the machine's role. */
export interface AwsOptions {
  /** Name of a profile in `~/.aws/config` and `~/.aws/credentials`. */
  profile?: string
  /** ARN of a role to take on with the credentials that were found. */
  roleArn?: string
  region?: string
  /** Address of another server that speaks AWS's protocol, e.g. `http://127.0.0.1:9000`. */
  endpoint?: string
  /** Who asks pays for what a bucket gives. */
  requestPayer?: boolean
  /** Told, in words, when a server does not answer and is asked again; once for each server, until it answers. */
  onRetry?: (text: string) => void
}

/**
 * Whether what the user said can be meant.
 *
 * @throws UserError (status 2) for an endpoint that is no plain HTTP address, and for a role or region of another form.
 */
export function checkAwsOptions({ endpoint, roleArn, region }: AwsOptions): void {
  if (endpoint !== undefined) checkEndpoint(endpoint)
  if (roleArn !== undefined && !/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn))
    throw new UserError(`not the ARN of a role: ${roleArn}`, {
      status: 2,
      hint: 'it is like arn:aws:iam::123456789012:role/reader',
    })
  if (region !== undefined && !/^[a-z0-9-]{1,64}$/.test(region))
    throw new UserError(`not a region: ${region}`, { status: 2, hint: 'it is like eu-central-1' })
}

/** Never repeats the address: it may hold a password. */
function checkEndpoint(endpoint: string): void {
  const hint = 'it is like http://127.0.0.1:9000 or https://minio.example.com'
  let url: URL
  try {
    url = new URL(endpoint)
  } catch {
    throw new UserError('the endpoint is not an address', { status: 2, hint })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new UserError('the endpoint is not an address of HTTP', { status: 2, hint })
  if (url.username !== '' || url.password !== '')
    throw new UserError('the endpoint holds a user or a password', {
      status: 2,
      hint: 'leave it out: credentials come from the environment or from a profile (--profile)',
    })
  if (url.search !== '' || url.hash !== '')
    throw new UserError('the endpoint has more than an address', { status: 2, hint })
}
