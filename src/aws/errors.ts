import { errorCode, errorText, UserError } from '../errors.ts'
import { isNewBucketName } from './bucket-name.ts'
import { redacted } from './redact.ts'
import { AnswerTooLarge, NobodyThere } from './tries.ts'

/** What was asked of AWS, for what is said where it fails. */
export interface Asked {
  /** In words, after "cannot": `list s3://bucket/prefix`. */
  doing: string
  /** What it is done to. */
  of: 'bucket' | 'object' | 'log group' | 'queue' | 'topic' | 'service' | 'workgroup' | 'table' | 'role'
  /** Its name: `s3://bucket/key`, a group. */
  name: string
  /** The right that it needs: `s3:GetObject`. */
  right: string
  /** Whether the user said that the asker pays. */
  requestPayer?: boolean
}

/** AWS said no, or could not be reached. `code` is AWS's or the system's word for it. */
export class AwsError extends UserError {
  readonly code: string
  /** HTTP's status; null where there was no answer. */
  readonly http: number | null
  /** What it is about: `one` thing that was asked for, of which others may be had; or `all`, as credentials, a region, the network. */
  readonly about: 'one' | 'all'
  /** Whether asking again may help. */
  readonly isTransient: boolean
  /** The action that was refused: `s3:GetObject`; null where that is not the reason. */
  readonly right: string | null

  constructor(
    message: string,
    hint: string,
    known: Pick<AwsError, 'code' | 'http' | 'about' | 'isTransient'> & { right?: string | null },
  ) {
    super(redacted(message), { hint: redacted(hint) })
    this.name = 'AwsError'
    this.code = known.code
    this.http = known.http
    this.about = known.about
    this.isTransient = known.isTransient
    this.right = known.right ?? null
  }
}

/**
 * Asks AWS. What fails is said in words, with what to do about it, and holds no secret.
 *
 * @throws AwsError; whatever aborted `signal`, where that is why.
 */
export async function ask<T>(asked: Asked, call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await call()
  } catch (error) {
    signal?.throwIfAborted()
    throw awsError(error, asked)
  }
}

interface Words {
  what: string
  hint: string
  about?: AwsError['about']
  isTransient?: boolean
  right?: string
}

/** What the user is told of an error of AWS's packages. A bug of our own is passed on, without what a request holds. */
export function awsError(thrown: unknown, asked: Asked): Error {
  const error = thrown instanceof NobodyThere ? thrown.error : thrown
  // What was said already, as that a package is missing.
  if (error instanceof UserError) return error
  if (error instanceof AnswerTooLarge)
    return new AwsError(`cannot ${asked.doing}: ${error.what}`, network(asked), {
      ...{ code: error.name, http: null, about: 'all', isTransient: false },
    })
  const { name, code, http, region } = detailsOf(error)
  const words = wordsOf(name, code, http, textOf(error), region, asked)
  if (words === null) return Object.assign(new Error(redacted(errorText(error))), { stack: redacted(stackOf(error)) })
  return new AwsError(`cannot ${asked.doing}: ${words.what}`, words.hint, {
    code: name,
    http,
    about: words.about ?? 'all',
    isTransient: words.isTransient ?? false,
    right: words.right ?? null,
  })
}

/** Without what the packages add for those who debug them. */
function textOf(error: unknown): string {
  return errorText(error).replace(/\s*Deserialization error: to see the raw response.*$/s, '')
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

interface Details {
  /** AWS's name of the error, or the system's code. */
  name: string
  code: string | undefined
  http: number | null
  /** Where the bucket is, as S3 says. */
  region: string | undefined
}

function detailsOf(error: unknown): Details {
  const held = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown
    Code?: unknown
    $metadata?: { httpStatusCode?: unknown }
    $response?: { headers?: Record<string, string> }
    Region?: unknown
  }
  const code = errorCode(error)
  const http = typeof held.$metadata?.httpStatusCode === 'number' ? held.$metadata.httpStatusCode : null
  const own = typeof held.name === 'string' && held.name !== 'Error' && held.name !== 'Unknown' ? held.name : undefined
  const region = held.$response?.headers?.['x-amz-bucket-region'] ?? held.Region
  return {
    name: own ?? (typeof held.Code === 'string' ? held.Code : (code ?? (http === null ? '' : `HTTP ${http}`))),
    code,
    http,
    region: typeof region === 'string' ? region : undefined,
  }
}

/** What is to be done last. Only objects are read into a case one by one. */
export function again({ of }: Pick<Asked, 'of'>): string {
  return `run the same command again${of === 'object' ? ': what is in a case already is not read again' : ''}`
}

function renew(asked: Asked): string {
  return `get new ones (aws sso login, or where they came from: aws configure list shows it), then ${again(asked)}`
}

function network(asked: Asked): string {
  return `check the network, --endpoint if it is given, and the proxy (HTTPS_PROXY, NO_PROXY); then ${again(asked)}`
}

const byName: [names: RegExp, words: (asked: Asked, text: string) => Words][] = [
  [
    /^(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired|ExpiredTokenException)$/,
    asked => ({ what: 'the credentials have expired', hint: renew(asked) }),
  ],
  [
    /^(RequestTimeTooSkewed|RequestInTheFuture)$/,
    () => ({
      what: 'the clock of this machine is wrong by more than 15 minutes',
      hint: 'set the clock (NTP), then try again',
    }),
  ],
  [
    /^(InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClientException|AuthFailure|InvalidToken)$/,
    () => ({
      what: 'AWS does not know the credentials',
      hint: 'check which are used (aws configure list), or name others with --profile; keys of another partition or server do not count here',
    }),
  ],
  [
    /^SignatureDoesNotMatch$/,
    () => ({
      what: 'the secret key does not belong to the access key',
      hint: 'check the credentials (aws configure list), and that no proxy alters requests',
    }),
  ],
  [
    /^(NoSuchBucket|InvalidBucketName)$/,
    asked => ({
      what: `there is no such bucket: ${asked.name}`,
      hint: `check the spelling${rulesFor(asked.name)}, and with --endpoint whether it is on that server`,
      about: aboutOf(asked),
    }),
  ],
  [
    /^(NoSuchKey|NotFound)$/,
    () => ({ what: 'it is gone', hint: 'something deleted it, maybe a rule of the bucket; list again', about: 'one' }),
  ],
  [
    /^InvalidObjectState$/,
    () => ({
      what: 'it is archived (Glacier), and cannot be read as it is',
      hint: 'restore it first: aws s3api restore-object',
      about: 'one',
    }),
  ],
  [
    /^(PreconditionFailed|InvalidRange)$/,
    () => ({
      what: 'it was changed while it was read',
      hint: 'run the same command again',
      about: 'one',
      isTransient: true,
    }),
  ],
  [
    /^(SlowDown|Throttling|ThrottlingException|ThrottledException|RequestLimitExceeded|TooManyRequestsException|RequestThrottled(Exception)?|ServiceUnavailable(Exception)?|InternalError|InternalFailure|InternalServerError|InternalServerException|RequestTimeout)$/,
    (_, text) => ({
      what: `it is overloaded or out of order (${text})`,
      hint: `AWS was asked ${attemptsText}; try again later`,
      isTransient: true,
    }),
  ],
  [
    /^(ResourceNotFoundException|QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue|NotFoundException)$/,
    ({ of, name }) => ({
      what: `there is no such ${of}: ${name}`,
      hint: 'check the spelling, the region (--region) and the account (--profile)',
    }),
  ],
]

/** @param name of a bucket, or of an object in one: `s3://bucket/key`. */
function rulesFor(name: string): string {
  const [, bucket = name] = /^s3:\/\/([^/]*)/.exec(name) ?? []
  return isNewBucketName(bucket)
    ? ''
    : ' (only old buckets of us-east-1 have other names than of lower-case letters, digits, dots and hyphens)'
}

/** What Athena says in the words of its catalogue. */
const ofAthena: typeof byName = [
  [
    /^MetadataException$/,
    ({ of, name }, text) =>
      /not ?found|does not exist/i.test(text)
        ? {
            what: `there is no such ${of}: ${name}`,
            hint: 'check the spelling, the region (--region) and the account (--profile)',
          }
        : { what: text, hint: 'the role needs glue:GetTable and glue:GetDatabase too' },
  ],
  [
    /^InvalidRequestException$/,
    (_, text) => ({
      what: text,
      hint: 'a workgroup is named by --workgroup, where it writes answers by --output-location',
    }),
  ],
]

const attemptsText = 'ten times, more and more slowly'

function wordsOf(
  name: string,
  code: string | undefined,
  http: number | null,
  text: string,
  region: string | undefined,
  asked: Asked,
): Words | null {
  if (/CredentialsProviderError|TokenProviderError/.test(name) || /Could not load credentials/.test(text))
    return noCredentials(text, asked)
  if (/Region is missing/.test(text))
    return { what: 'no region is named', hint: 'name it: --region eu-central-1, AWS_REGION, or region in the profile' }
  if (/Signature (?:expired|not yet current)/i.test(text))
    return { what: 'the clock of this machine is wrong', hint: 'set the clock (NTP), then try again' }
  const ours = asked.of === 'workgroup' || asked.of === 'table' ? [...ofAthena, ...byName] : byName
  const found = ours.find(([names]) => names.test(name))
  if (found !== undefined) return found[1](asked, text)
  if (
    /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/.test(
      name,
    ) ||
    http === 301
  )
    return wrongRegion(region ?? /expecting '([a-z0-9-]+)'/.exec(text)?.[1])
  if (
    /^(AccessDenied(Exception)?|AllAccessDisabled|UnauthorizedOperation|KMS\..*|Forbidden|AuthorizationError)$/.test(
      name,
    ) ||
    http === 403
  )
    return accessDenied(text, asked)
  if (http === null) return unreachable(code ?? name, text, asked)
  if (http >= 500)
    return {
      what: `it answers with status ${http} (${text})`,
      hint: `AWS was asked ${attemptsText}; try again later`,
      isTransient: true,
    }
  if (http === 404)
    return {
      what: `there is no such ${asked.of}: ${asked.name}`,
      hint: 'check the spelling',
      about: aboutOf(asked),
    }
  return {
    what: `${name}: ${text}`,
    hint: `AWS refused it with status ${http}`,
    // These are about who asks, or how often.
    about: [401, 407, 429].includes(http) ? 'all' : aboutOf(asked),
  }
}

/** What was refused for its own sake: of objects others may be had, also in other buckets. */
function aboutOf({ of }: Asked): AwsError['about'] {
  return of === 'object' ? 'one' : 'all'
}

function noCredentials(text: string, asked: Asked): Words {
  const told = text.replace(/\s+/g, ' ').trim()
  if (/expired|sso session|refresh/i.test(told))
    return { what: `the credentials have expired (${told})`, hint: renew(asked) }
  return {
    what: `no credentials were found (${told})`,
    hint: 'set a profile (--profile NAME or AWS_PROFILE), AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or log in: aws sso login',
  }
}

function wrongRegion(region: string | undefined): Words {
  return {
    what: region === undefined ? 'it is in another region' : `it is in another region: ${region}`,
    hint: region === undefined ? 'name the region: --region eu-central-1' : `name the region: --region ${region}`,
  }
}

/** AWS says which right was refused on what, if it wants to. */
function accessDenied(text: string, asked: Asked): Words {
  const { of, name, right, requestPayer } = asked
  const refused = /not authorized to perform: ([\w-]+:\w+)(?: on resource: "?([^\s"]+))?/.exec(text)
  const wanted = refused?.[1] ?? right
  if (wanted === 'sts:AssumeRole') {
    const role = refused?.[2] ?? name
    return {
      what: of === 'role' ? 'access denied' : `access denied to the role ${role}`,
      hint: `the credentials need sts:AssumeRole on ${role}, and the role’s trust policy must name whose they are`,
      right: wanted,
    }
  }
  const payer = requestPayer === true ? '' : '; a bucket whose reader pays wants --request-payer'
  if (wanted.startsWith('kms:') || /\bkms\b/i.test(text)) {
    const key = refused?.[2] ?? 'that it is encrypted with'
    return {
      what: `access denied to the KMS key: ${key}`,
      hint: `the role needs kms:Decrypt on the key, in its policy too`,
      about: 'one',
      right: 'kms:Decrypt',
    }
  }
  if (/s3:List/.test(wanted))
    return {
      what: `access denied to the bucket: ${name}`,
      hint: `the role needs ${wanted} on the bucket, also in the bucket’s own policy${payer}`,
      about: aboutOf(asked),
      right: wanted,
    }
  if (of === 'object') {
    const what =
      refused === null
        ? `access denied to the object, or to the KMS key that it is encrypted with`
        : 'access denied to the object'
    const kms = refused === null ? ', and kms:Decrypt on the key if it is encrypted with one' : ''
    return { what, hint: `the role needs ${wanted} on it${kms}${payer}`, about: 'one', right: wanted }
  }
  return {
    what: `access denied to the ${of}${name === '' ? '' : `: ${name}`}`,
    hint: `the role needs ${wanted}${of === 'bucket' ? payer : ''}`,
    right: wanted,
  }
}

/** No answer came. Null for what is no matter of the network: a bug. */
function unreachable(told: string, text: string, asked: Asked): Words | null {
  if (told === 'ENOTFOUND' || told === 'EAI_AGAIN')
    return {
      what: `the name of the server cannot be resolved (${text})`,
      hint: `check the spelling of the region or endpoint, or ${network(asked)}`,
      isTransient: true,
    }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(told))
    return {
      what: `its certificate is not accepted (${text})`,
      hint: 'a proxy that opens TLS has a certificate of its own: name the file in NODE_EXTRA_CA_CERTS',
    }
  const isNetwork =
    /^(E(CONN\w+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|PROTO|AI_\w+)|TimeoutError|NetworkingError|HPE_\w+|ERR_TLS\w*|ERR_SSL\w*)$/.test(
      told,
    ) || /socket hang up|proxy|timed? ?out|aborted|Premature close/i.test(text)
  return isNetwork ? { what: `no answer (${text})`, hint: network(asked), isTransient: true } : null
}
