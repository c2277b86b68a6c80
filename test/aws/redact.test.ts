import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepSecret, redacted } from '../../src/aws/redact.ts'

test('a secret that was read is in no text, nor in the form that it has in a URL', () => {
  keepSecret('canary/secret+key==')
  const text = redacted('sent canary/secret+key== and ?token=canary%2Fsecret%2Bkey%3D%3D')
  assert.equal(text, 'sent [hidden] and ?token=[hidden]')
})

test('a secret that begins with another is hidden whole', () => {
  keepSecret('canary-one')
  keepSecret('canary-one-and-more')
  assert.equal(redacted('x canary-one-and-more y'), 'x [hidden] y')
})

test('what is too short to be a secret hides no words', () => {
  keepSecret('key')
  assert.equal(redacted('the key of the object'), 'the key of the object')
})

test('secrets of the environment are hidden', t => {
  process.env['AWS_SESSION_TOKEN'] = 'canary-of-the-environment'
  t.after(() => delete process.env['AWS_SESSION_TOKEN'])
  assert.equal(redacted('got canary-of-the-environment'), 'got [hidden]')
})

const hidden: [text: string, secret: string][] = [
  ['The AWS Access Key Id AKIAIOSFODNN7EXAMPLE does not exist', 'AKIAIOSFODNN7EXAMPLE'],
  ['ASIAIOSFODNN7EXAMPLE/20260101/us-east-1', 'ASIAIOSFODNN7EXAMPLE'],
  ['connect to http://user:pass-word@proxy:3128 failed', 'pass-word'],
  ['https://b.s3.amazonaws.com/k?X-Amz-Security-Token=IQoJb3Jpa&X-Amz-Signature=deadbeefdeadbeefdead', 'IQoJb3Jpa'],
  ['https://b.s3.amazonaws.com/k?X-Amz-Security-Token=IQoJb3Jpa&X-Amz-Signature=deadbeefdeadbeefdead', 'deadbeef'],
  ['authorization: AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=abcdefabcdefabcdef', 'abcdef'],
  ['Proxy-Authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
  ['x-amz-security-token:FwoGZXIvYXdzEJr', 'FwoGZXIvYXdzEJr'],
  ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG', 'wJalrXUtnFEMI'],
  ['{"AwsSessionToken":"x","aws_session_token":"FwoGZXIvYXdzEJr"}', 'FwoGZXIvYXdzEJr'],
]
for (const [text, secret] of hidden) {
  test(`hidden in: ${text.slice(0, 50)}`, () => {
    assert.ok(text.includes(secret))
    assert.ok(!redacted(text).includes(secret), redacted(text))
  })
}

test('ordinary text stays as it is', () => {
  for (const text of [
    's3://bucket/AWSLogs/123456789012/vpcflowlogs/eu-central-1/2026/01/01/x.log.gz: access denied',
    'arn:aws:iam::123456789012:role/reader at 10.0.0.1:9000, a@b.example',
    'http://127.0.0.1:9000/a@b',
  ])
    assert.equal(redacted(text), text)
})
