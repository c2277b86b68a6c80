/**
 * The clients of AWS's services: the one place that loads AWS's packages, each when it is asked for.
 *
 * All are made alike: credentials as the AWS tools find them, proxies of the environment, ten attempts with a pace that the service sets.
 */
import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { errorText } from '../errors.ts'
import { AwsError, awsError } from './errors.ts'
import { type AwsOptions, checkAwsOptions } from './options.ts'
import { loaded } from './packages.ts'
import { keepSecret } from './redact.ts'
import { handlerWithTries, triesMost } from './tries.ts'

/** Most connections to one server at a time. */
const socketsMax = 64
const connectMilliseconds = 20_000
/** Until the first byte of an answer, and between two of its bytes. */
const silentMilliseconds = 60_000
const regionByDefault = 'us-east-1'

/** S3. A bucket in another region is followed there. */
export async function s3Client(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'))
  const endpoint = options.endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']
  const other = endpoint !== undefined && !/\.amazonaws\.com(\.cn)?(?::\d+)?\/?$/.test(endpoint)
  const client = new sdk.S3Client({
    ...(await settings(options)),
    // Any region tells where a bucket is; without one in the environment the client would refuse to ask.
    ...(!hasRegion(options) && { region: regionByDefault }),
    followRegionRedirects: true,
    // Other servers seldom know AWS's newer checksums, nor names of buckets as names of hosts.
    ...(other && {
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
    }),
  })
  return { sdk, client }
}

export async function logsClient(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-cloudwatch-logs', () => import('@aws-sdk/client-cloudwatch-logs'))
  return { sdk, client: new sdk.CloudWatchLogsClient(await settings(options)) }
}

export async function ec2Client(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-ec2', () => import('@aws-sdk/client-ec2'))
  return { sdk, client: new sdk.EC2Client(await settings(options)) }
}

/** What Athena tells of a statement. */
export type QueryExecution = import('@aws-sdk/client-athena').QueryExecution

export async function athenaClient(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-athena', () => import('@aws-sdk/client-athena'))
  return { sdk, client: new sdk.AthenaClient(await settings(options)) }
}

export async function sqsClient(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs'))
  // The server that is asked is the region's, or the one that was named, also where a queue's own address names another.
  return { sdk, client: new sdk.SQSClient({ ...(await settings(options)), useQueueUrlAsEndpoint: false }) }
}

export async function snsClient(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-sns', () => import('@aws-sdk/client-sns'))
  return { sdk, client: new sdk.SNSClient(await settings(options)) }
}

/** Who the credentials belong to is asked here. */
export async function stsClient(options: AwsOptions) {
  const sdk = await loaded('@aws-sdk/client-sts', () => import('@aws-sdk/client-sts'))
  const region = hasRegion(options) ? {} : { region: regionByDefault }
  return { sdk, client: new sdk.STSClient({ ...(await settings(options)), ...region }) }
}

/** Whether the user, or the environment, names a region. A profile's is found by the client itself. */
function hasRegion({ region, profile }: AwsOptions): boolean {
  const named = [region, process.env['AWS_REGION'], process.env['AWS_DEFAULT_REGION']]
  return profile !== undefined || process.env['AWS_PROFILE'] !== undefined || named.some(one => one !== undefined)
}

/** What is the same for every client. */
async function settings(options: AwsOptions) {
  checkAwsOptions(options)
  const { profile, endpoint } = options
  const region = options.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION']
  const requestHandler = await handler(options)
  return {
    ...(profile !== undefined && { profile }),
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    requestHandler,
    credentials: await credentialsOf(options, requestHandler),
    retryMode: 'adaptive',
    maxAttempts: triesMost,
  }
}

type Handler = Awaited<ReturnType<typeof handler>>

async function handler({ onRetry }: AwsOptions) {
  const { NodeHttpHandler } = await loaded('@smithy/node-http-handler', () => import('@smithy/node-http-handler'))
  const options = {
    connectionTimeout: connectMilliseconds,
    socketTimeout: silentMilliseconds,
    // Requests wait for a connection here as a matter of course: no warning of it.
    socketAcquisitionWarningTimeout: 24 * 3_600_000,
    ...(await agents()),
  }
  return handlerWithTries(NodeHttpHandler, options, onRetry)
}

/** Connections that are used again; through the proxy that the environment names. */
async function agents(): Promise<{ httpAgent: HttpAgent; httpsAgent: HttpsAgent }> {
  const proxies = Object.entries(process.env).filter(([name]) => /^(?:https?|all)_proxy$/i.test(name))
  const named = proxies.flatMap(([, value]) => (value ? [value] : []))
  if (named.length === 0) {
    const [http, https] = await Promise.all([import('node:http'), import('node:https')])
    const kept = { keepAlive: true, maxSockets: socketsMax }
    return { httpAgent: new http.Agent(kept), httpsAgent: new https.Agent(kept) }
  }
  for (const proxy of named) keepSecret(passwordOf(proxy))
  const { ProxyAgent } = await loaded('proxy-agent', () => import('proxy-agent'))
  const agent = new ProxyAgent({ keepAlive: true, maxSockets: socketsMax })
  return { httpAgent: agent, httpsAgent: agent as unknown as HttpsAgent }
}

function passwordOf(address: string): string | undefined {
  return /^[a-z0-9+.-]+:\/\/[^/@]*:([^/@]+)@/i.exec(address)?.[1]
}

/** As the AWS tools find them: environment, profile (also SSO), web identity, the role of a container or machine; then the role to take on. */
async function credentialsOf({ profile, roleArn, region }: AwsOptions, requestHandler: Handler) {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await loaded(
    '@aws-sdk/credential-providers',
    () => import('@aws-sdk/credential-providers'),
  )
  const clientConfig = { requestHandler, ...(region !== undefined && { region }) }
  // What runs for weeks finds new keys in the files when the old ones have expired.
  const named = profile === undefined ? {} : { profile, logger: silent }
  const own = fromNodeProviderChain({ clientConfig, ignoreCache: true, ...named })
  const chain =
    roleArn === undefined
      ? own
      : fromTemporaryCredentials({
          masterCredentials: () => ofProfile(profile, own),
          clientConfig,
          params: { RoleArn: roleArn, RoleSessionName: 'tidemark' },
        })
  return async () => {
    const found = await (roleArn === undefined ? ofProfile(profile, chain) : takenOn(roleArn, chain))
    keepSecret(found.accessKeyId)
    keepSecret(found.secretAccessKey)
    keepSecret(found.sessionToken)
    return found
  }
}

/** The chain warns where keys are in the environment too. Who names a profile means that one. */
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }

function nothing(): void {}

/** The chain passes over a profile that is not there, and says what it says where none is named. */
async function ofProfile<T>(profile: string | undefined, chain: () => Promise<T>): Promise<T> {
  try {
    return await chain()
  } catch (error) {
    if (profile === undefined || !/Could not load credentials from any providers/.test(errorText(error))) throw error
    throw new AwsError(
      `no credentials were found for the profile ${profile}`,
      'check its name: aws configure list-profiles shows which there are; one of SSO needs a login: aws sso login --profile NAME',
      { code: 'CredentialsProviderError', http: null, about: 'all', isTransient: false },
    )
  }
}

/** Said here, where it is known that it is the role: the call that wanted the credentials would name a right of its own. */
async function takenOn<T>(role: string, chain: () => Promise<T>): Promise<T> {
  try {
    return await chain()
  } catch (error) {
    throw awsError(error, { doing: `take on the role ${role}`, of: 'role', name: role, right: 'sts:AssumeRole' })
  }
}
