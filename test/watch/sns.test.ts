// Alerts for a topic of SNS, told to a stand-in for it.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { before, type TestContext, test } from 'node:test'
import { DeliveryError } from '../../src/watch/receivers/receiver.ts'
import { sns, topicOf } from '../../src/watch/receivers/sns.ts'
import { canaries } from '../sources/stub.ts'

const arn = 'arn:aws:sns:eu-west-1:123456789012:alerts'
const text = JSON.stringify({ id: 'a1', rule: 'D01-scan', severity: 'high', title: 'é' })

before(() => {
  Object.assign(process.env, canaries)
})

async function startTopic(
  t: TestContext,
  answers: (times: number) => { status: number; code: string } | 'silent' | null,
) {
  const heard: URLSearchParams[] = []
  const regions: string[] = []
  const server = createServer((message, response) => {
    let body = ''
    message.on('data', (piece: Buffer) => {
      body += piece
    })
    message.on('end', () => {
      regions.push(/Credential=[^/]+\/\d+\/([^/]+)\//.exec(message.headers.authorization ?? '')?.[1] ?? '')
      heard.push(new URLSearchParams(body))
      const answer = answers(heard.length - 1)
      if (answer === 'silent') return
      response.writeHead(answer?.status ?? 200, { 'content-type': 'text/xml' })
      response.end(
        answer === null
          ? '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>'
          : `<ErrorResponse><Error><Type>Sender</Type><Code>${answer.code}</Code><Message>no ${canaries.AWS_SECRET_ACCESS_KEY}</Message></Error></ErrorResponse>`,
      )
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { heard, regions, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const going = (): AbortSignal => new AbortController().signal

test('a topic has the alert as its message, in the region of the topic', async t => {
  const { heard, regions, endpoint } = await startTopic(t, () => null)
  await sns(topicOf(arn), { endpoint }).send({ id: 'a1', text }, going())
  assert.equal(heard.length, 1)
  assert.equal(heard[0]!.get('TopicArn'), arn)
  assert.equal(heard[0]!.get('Message'), text)
  assert.equal(heard[0]!.get('MessageDeduplicationId'), null)
  assert.deepEqual(regions, ['eu-west-1'])
})

test('a FIFO topic has the id of the alert to know it again, each time that it is sent', async t => {
  const { heard, endpoint } = await startTopic(t, times =>
    times === 0 ? { status: 503, code: 'ServiceUnavailable' } : null,
  )
  const receiver = sns(topicOf(`${arn}.fifo`), { endpoint })
  await receiver.send({ id: 'a1', text }, going())
  await receiver.send({ id: 'a1', text }, going())
  assert.equal(heard.length, 3)
  for (const one of heard) {
    assert.equal(one.get('MessageDeduplicationId'), 'a1')
    assert.equal(one.get('MessageGroupId'), 'tidemark')
  }
})

test('who refuses is told from who does not want the message, and no secret is in what is said', async t => {
  const codes = ['AuthorizationError', 'InvalidParameter', 'NotFound']
  const { endpoint } = await startTopic(t, times => ({ status: times === 1 ? 400 : 403, code: codes[times]! }))
  const receiver = sns(topicOf(arn), { endpoint })
  for (const [i, isRefused] of [false, true, false].entries())
    await assert.rejects(receiver.send({ id: 'a1', text }, going()), error => {
      assert(error instanceof DeliveryError, String(error))
      assert.equal(error.isRefused, isRefused, codes[i])
      for (const secret of [canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_ACCESS_KEY_ID])
        assert(!error.message.includes(secret))
      if (i === 0) assert.match(error.message, /sns:Publish/)
      return true
    })
})

test('credentials and role are looked at when the watch begins; what is amiss is told then, and may come right later', async t => {
  let isRefused = true
  const asked: string[] = []
  const server = createServer((message, response) => {
    let body = ''
    message.on('data', (piece: Buffer) => {
      body += piece
    })
    message.on('end', () => {
      const action = new URLSearchParams(body).get('Action')!
      asked.push(action)
      response.writeHead(action === 'AssumeRole' && isRefused ? 403 : 200, { 'content-type': 'text/xml' })
      if (action === 'AssumeRole')
        response.end(
          isRefused
            ? '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/alerts</Message></Error></ErrorResponse>'
            : '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIACANARYOFAROLE001</AccessKeyId><SecretAccessKey>canary-of-a-role</SecretAccessKey><SessionToken>canary-session-of-a-role</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>',
        )
      else
        response.end(
          '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>',
        )
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  process.env['AWS_ENDPOINT_URL_STS'] = endpoint
  t.after(() => {
    delete process.env['AWS_ENDPOINT_URL_STS']
    server.closeAllConnections()
    server.close()
  })
  const notes: string[] = []
  const note = (text: string): Promise<void> => {
    notes.push(text)
    return Promise.resolve()
  }
  const receiver = sns(topicOf(arn), { endpoint, roleArn: 'arn:aws:iam::123456789012:role/alerts' })
  await assert.rejects(
    receiver.check(note),
    /cannot take on the role arn:aws:iam::123456789012:role\/alerts: access denied/,
  )
  assert.deepEqual([asked, notes], [['AssumeRole'], []])
  isRefused = false
  await receiver.check(note)
  await receiver.send({ id: 'a1', text }, going())
  assert.deepEqual(asked, ['AssumeRole', 'AssumeRole', 'Publish'])
  await assert.rejects(sns(topicOf(arn), { endpoint, roleArn: 'alerts' }).check(note), /not the ARN of a role/)
})

test('a client that could not be made is made the next time', async t => {
  const { heard, endpoint } = await startTopic(t, () => null)
  const aws = { endpoint: 'no address' }
  const receiver = sns(topicOf(arn), aws)
  await assert.rejects(receiver.send({ id: 'a1', text }, going()), /the endpoint is not an address/)
  aws.endpoint = endpoint
  await receiver.send({ id: 'a1', text }, going())
  assert.equal(heard.length, 1)
})

test('a topic that does not answer is tried again later', async t => {
  const { endpoint } = await startTopic(t, () => 'silent')
  await assert.rejects(
    sns(topicOf(arn), { endpoint }, { timeout: 300 }).send({ id: 'a1', text }, going()),
    /no answer in 0.3 s/,
  )
})

test('what is no ARN of a topic is refused', () => {
  for (const wrong of [
    'alerts',
    'arn:aws:sqs:eu-west-1:123456789012:alerts',
    `${arn}:sub`,
    'arn:aws:sns::123456789012:x',
  ])
    assert.throws(() => topicOf(wrong), /not the ARN of a topic/)
})
