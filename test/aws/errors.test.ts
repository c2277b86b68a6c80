import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asked, AwsError, ask, awsError } from '../../src/aws/errors.ts'
import { UserError } from '../../src/errors.ts'

const object: Asked = { doing: 'read s3://b/k', of: 'object', name: 's3://b/k', right: 's3:GetObject' }
const bucket: Asked = { doing: 'list s3://b/p', of: 'bucket', name: 'b', right: 's3:ListBucket' }
const group: Asked = { doing: 'read logs://g', of: 'log group', name: 'g', right: 'logs:FilterLogEvents' }

interface Thrown {
  name?: string
  message?: string
  http?: number
  code?: string
  headers?: Record<string, string>
}

/** As the SDK throws it. */
function thrown({ name = 'Error', message = '', http, code, headers }: Thrown): Error {
  return Object.assign(new Error(message), {
    name,
    ...(code !== undefined && { code }),
    ...(http !== undefined && { $metadata: { httpStatusCode: http } }),
    ...(headers !== undefined && { $response: { headers } }),
  })
}

const cases: { asked: Asked; of: Thrown; says: RegExp; hint: RegExp; about?: 'one' | 'all'; transient?: boolean }[] = [
  {
    asked: bucket,
    of: { name: 'AccessDenied', message: 'Access Denied', http: 403 },
    says: /access denied to the bucket: b/,
    hint: /s3:ListBucket.*--request-payer/,
  },
  {
    asked: object,
    of: { name: 'AccessDenied', message: 'Access Denied', http: 403 },
    says: /to the object, or to the KMS key/,
    hint: /s3:GetObject.*kms:Decrypt.*--request-payer/,
    about: 'one',
  },
  {
    asked: { ...object, requestPayer: true },
    of: { name: 'AccessDenied', message: 'Access Denied', http: 403 },
    says: /to the object/,
    hint: /if it is encrypted with one$/,
    about: 'one',
  },
  {
    asked: object,
    of: {
      name: 'AccessDenied',
      http: 403,
      message:
        'User: arn:aws:iam::1:user/u is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:GetObject action',
    },
    says: /access denied to the object$/,
    hint: /the role needs s3:GetObject on it;/,
    about: 'one',
  },
  {
    asked: object,
    of: {
      name: 'AccessDenied',
      http: 403,
      message:
        'User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:1:key/abc because no identity-based policy allows the kms:Decrypt action',
    },
    says: /access denied to the KMS key: arn:aws:kms:eu-central-1:1:key\/abc/,
    hint: /kms:Decrypt/,
    about: 'one',
  },
  {
    asked: object,
    of: {
      name: 'AccessDenied',
      http: 403,
      message: 'User: x is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::b"',
    },
    says: /access denied to the bucket/,
    hint: /s3:ListBucket/,
    about: 'one',
  },
  {
    asked: bucket,
    of: {
      name: 'AccessDenied',
      http: 403,
      message:
        'User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/reader',
    },
    says: /access denied to the role arn:aws:iam::123456789012:role\/reader$/,
    hint: /sts:AssumeRole on arn:aws:iam::123456789012:role\/reader/,
  },
  {
    asked: group,
    of: { name: 'AccessDeniedException', message: 'no', http: 400 },
    says: /access denied to the log group: g/,
    hint: /logs:FilterLogEvents/,
  },
  {
    asked: object,
    of: { name: 'ExpiredToken', http: 400 },
    says: /credentials have expired/,
    hint: /what is in a case already is not read again$/,
  },
  {
    asked: group,
    of: { name: 'ExpiredTokenException', http: 400 },
    says: /credentials have expired/,
    hint: /sso login.*run the same command again$/,
  },
  { asked: object, of: { name: 'RequestTimeTooSkewed', http: 403 }, says: /clock/, hint: /NTP/ },
  {
    asked: group,
    of: {
      name: 'InvalidSignatureException',
      http: 400,
      message: 'Signature expired: 20260101T000000Z is now earlier than',
    },
    says: /clock/,
    hint: /NTP/,
  },
  {
    asked: bucket,
    of: { name: 'PermanentRedirect', http: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } },
    says: /another region: eu-west-1/,
    hint: /--region eu-west-1/,
  },
  {
    asked: bucket,
    of: {
      name: 'AuthorizationHeaderMalformed',
      http: 400,
      message: "the region 'us-east-1' is wrong; expecting 'eu-north-1'",
    },
    says: /eu-north-1/,
    hint: /--region eu-north-1/,
  },
  {
    asked: { ...bucket, name: 'flow-logs' },
    of: { name: 'NoSuchBucket', http: 404 },
    says: /no such bucket: flow-logs/,
    hint: /spelling, and/,
  },
  {
    asked: { ...bucket, name: 'Bad_Bucket' },
    of: { name: 'InvalidBucketName', http: 400 },
    says: /no such bucket: Bad_Bucket/,
    hint: /only old buckets of us-east-1/,
  },
  {
    asked: object,
    of: { name: 'NoSuchBucket', http: 404 },
    says: /no such bucket: s3:\/\/b\/k/,
    hint: /spelling \(only/,
    about: 'one',
  },
  {
    asked: object,
    of: { name: 'InvalidRequest', http: 400, message: 'The object was stored using a form of encryption' },
    says: /InvalidRequest: The object/,
    hint: /status 400/,
    about: 'one',
  },
  { asked: bucket, of: { name: 'InvalidRequest', http: 400 }, says: /InvalidRequest/, hint: /status 400/ },
  ...[401, 407, 429].map(http => ({
    asked: object,
    of: { name: 'Refused', http },
    says: /Refused/,
    hint: new RegExp(`status ${http}`),
  })),
  { asked: object, of: { name: 'NoSuchKey', http: 404 }, says: /it is gone/, hint: /list again/, about: 'one' },
  { asked: object, of: { name: 'InvalidObjectState', http: 403 }, says: /archived/, hint: /restore/, about: 'one' },
  {
    asked: object,
    of: { name: 'PreconditionFailed', http: 412 },
    says: /changed/,
    hint: /again/,
    about: 'one',
    transient: true,
  },
  {
    asked: bucket,
    of: { name: 'SlowDown', http: 503, message: 'Please reduce your request rate.' },
    says: /overloaded/,
    hint: /later/,
    transient: true,
  },
  {
    asked: bucket,
    of: { name: 'Unknown', http: 502, message: 'UnknownError' },
    says: /status 502/,
    hint: /later/,
    transient: true,
  },
  {
    asked: bucket,
    of: { name: 'InvalidAccessKeyId', http: 403 },
    says: /does not know the credentials/,
    hint: /--profile/,
  },
  {
    asked: bucket,
    of: { name: 'SignatureDoesNotMatch', http: 403 },
    says: /secret key does not belong/,
    hint: /aws configure/,
  },
  {
    asked: bucket,
    of: { name: 'CredentialsProviderError', message: 'Could not load credentials from any providers' },
    says: /no credentials were found/,
    hint: /AWS_PROFILE/,
  },
  {
    asked: bucket,
    of: { name: 'CredentialsProviderError', message: 'The SSO session associated with this profile has expired' },
    says: /credentials have expired/,
    hint: /sso login.*run the same command again$/,
  },
  { asked: group, of: { message: 'Region is missing' }, says: /no region is named/, hint: /--region/ },
  {
    asked: group,
    of: { name: 'ResourceNotFoundException', http: 400 },
    says: /no such log group: g/,
    hint: /--region/,
  },
  {
    asked: bucket,
    of: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:9' },
    says: /no answer/,
    hint: /--endpoint .*HTTPS_PROXY, NO_PROXY.*run the same command again$/,
    transient: true,
  },
  {
    asked: bucket,
    of: { code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND x' },
    says: /cannot be resolved/,
    hint: /region or endpoint/,
    transient: true,
  },
  { asked: bucket, of: { code: 'SELF_SIGNED_CERT_IN_CHAIN' }, says: /certificate/, hint: /NODE_EXTRA_CA_CERTS/ },
  {
    asked: bucket,
    of: { name: 'TimeoutError', message: 'Connection timed out after 60000 ms' },
    says: /no answer/,
    hint: /network/,
    transient: true,
  },
]

for (const { asked, of, says, hint, about = 'all', transient = false } of cases) {
  test(`${of.name ?? of.code ?? of.message}${of.message ? ` (${of.message.slice(0, 60)})` : ''}, to ${asked.doing}, says what to do`, () => {
    const error = awsError(thrown(of), asked)
    assert.ok(error instanceof AwsError, error.stack)
    assert.ok(error.message.startsWith(`cannot ${asked.doing}: `), error.message)
    assert.match(error.message, says)
    assert.match(error.hint!, hint)
    assert.equal(error.about, about)
    assert.equal(error.isTransient, transient)
  })
}

test('what is no error of AWS or the network stays a bug, without what a request held', () => {
  const error = awsError(new TypeError('x is not a function, Authorization: Basic abc'), bucket)
  assert.ok(!(error instanceof UserError))
  assert.match(error.message, /x is not a function/)
  assert.ok(!`${error.message}${error.stack}`.includes('Basic abc'))
})

test('an error holds nothing of the request', async () => {
  const failing = Object.assign(thrown({ name: 'AccessDenied', http: 403 }), {
    $response: { headers: { 'x-amz-security-token': 'canary' } },
  })
  const error: unknown = await ask(object, () => Promise.reject(failing)).catch((one: unknown) => one)
  assert.ok(error instanceof AwsError)
  assert.equal(error.cause, undefined)
  assert.ok(!JSON.stringify(error).includes('canary'))
})

test('what was stopped ends with its own reason', async () => {
  const reason = new Error('stopped')
  const call = (): Promise<never> => Promise.reject(thrown({ name: 'AbortError' }))
  await assert.rejects(ask(object, call, AbortSignal.abort(reason)), reason)
})
