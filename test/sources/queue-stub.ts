/** A server that speaks as much of SQS as a reader needs (AWS's JSON protocol), and what S3, SNS and EventBridge put into a queue. */
import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { etagOf, type Stub } from './stub.ts'

export interface QueueStub {
  /** What is in the queue, by id. */
  messages: Map<string, { body: string; receipt: string; visible: number; received: number }>
  /** Ids of messages that were deleted. */
  deleted: string[]
  /** Actions that were asked for. */
  actions: string[]
  /** Decides what goes wrong, and how late the answer is; null: nothing. @param input what was asked. */
  fault: (action: string, message: IncomingMessage, input: Fields) => QueueFault | null | Promise<QueueFault | null>
  send(body: string): string
}

interface QueueFault {
  status: number
  code: string
}

type Fields = Record<string, unknown>

/** Puts a queue `objects` beside the bucket. @param second how long a second of holding lasts there, milliseconds. */
export function startQueue(stub: Stub, second = 1000): QueueStub {
  const queue: QueueStub = {
    ...{ messages: new Map(), deleted: [], actions: [], fault: () => null },
    send: body => {
      const id = randomUUID()
      queue.messages.set(id, { body, receipt: '', visible: 0, received: 0 })
      return id
    },
  }
  stub.other = (message, response) => {
    const target = message.headers['x-amz-target']
    if (typeof target !== 'string' || !target.startsWith('AmazonSQS.')) return false
    void answered(stub, queue, target.slice('AmazonSQS.'.length), message, response, second)
    return true
  }
  return queue
}

async function answered(
  stub: Stub,
  queue: QueueStub,
  action: string,
  message: IncomingMessage,
  response: ServerResponse,
  second: number,
): Promise<void> {
  let text = ''
  for await (const piece of message) text += String(piece)
  queue.actions.push(action)
  const input = JSON.parse(text) as Fields
  const fault = await queue.fault(action, message, input)
  const answer: Fields =
    fault === null ? await act(stub, queue, action, input, second, () => response.destroyed) : { ...fault }
  const isRefused = 'code' in answer
  response.writeHead(isRefused ? Number(answer['status']) : 200, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(JSON.stringify(isRefused ? { __type: `com.amazonaws.sqs#${answer['code']}`, message: 'no' } : answer))
}

async function act(
  stub: Stub,
  queue: QueueStub,
  action: string,
  input: Fields,
  second: number,
  isGone: () => boolean,
): Promise<Fields> {
  if (action === 'GetQueueUrl')
    return input['QueueName'] === 'objects'
      ? { QueueUrl: `${stub.address}/123456789012/objects` }
      : { status: 400, code: 'QueueDoesNotExist' }
  if (action === 'ReceiveMessage') return receive(queue, input, second, isGone)
  const entries = input['Entries'] as { Id: string; ReceiptHandle: string; VisibilityTimeout?: number }[]
  const [Successful, Failed] = [[] as Fields[], [] as Fields[]]
  for (const { Id, ReceiptHandle, VisibilityTimeout } of entries) {
    const [id, one] = [...queue.messages].find(([, { receipt }]) => receipt === ReceiptHandle) ?? []
    if (id === undefined || one === undefined) Failed.push({ Id, Code: 'ReceiptHandleIsInvalid', SenderFault: true })
    else {
      Successful.push({ Id })
      if (action === 'DeleteMessageBatch') {
        queue.messages.delete(id)
        queue.deleted.push(id)
      } else one.visible = Date.now() + VisibilityTimeout! * second
    }
  }
  return { Successful, Failed }
}

/** @param isGone whether nobody waits for the answer any more: who is gone is given no messages. */
async function receive(queue: QueueStub, input: Fields, second: number, isGone: () => boolean): Promise<Fields> {
  const [most, hold] = [Number(input['MaxNumberOfMessages']), Number(input['VisibilityTimeout'])]
  const end = Date.now() + Math.min(500, Number(input['WaitTimeSeconds']) * second)
  for (;;) {
    if (isGone()) return {}
    const found = [...queue.messages].filter(([, { visible }]) => visible <= Date.now()).slice(0, most)
    if (found.length === 0 && Date.now() < end) {
      await new Promise(resolve => setTimeout(resolve, 20))
      continue
    }
    for (const [, one] of found) {
      Object.assign(one, { receipt: randomUUID(), visible: Date.now() + hold * second, received: one.received + 1 })
    }
    const Messages = found.map(([MessageId, { body, receipt: ReceiptHandle }]) => ({
      ...{ MessageId, ReceiptHandle, Body: body, MD5OfBody: createHash('md5').update(body).digest('hex') },
    }))
    return found.length === 0 ? {} : { Messages }
  }
}

/** A key as S3 writes it into its notifications. */
function encoded(key: string): string {
  return encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/')
}

/** What S3 tells of a new object. */
export function notification(key: string, body: Buffer | string, more: Fields = {}): string {
  const bytes = Buffer.from(body)
  const object = { key: encoded(key), size: bytes.length, eTag: etagOf(bytes).slice(1, -1), sequencer: '0064', ...more }
  return JSON.stringify({
    Records: [
      {
        ...{ eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'eu-central-1', eventName: 'ObjectCreated:Put' },
        ...{ eventTime: new Date().toISOString(), s3: { bucket: { name: 'bucket' }, object } },
      },
    ],
  })
}

/** The same as SNS passes it on. */
export function throughSns(message: string): string {
  return JSON.stringify({ Type: 'Notification', TopicArn: 'arn:aws:sns:eu-central-1:123456789012:o', Message: message })
}

/** What EventBridge tells of a new object: the key is as it is. */
export function event(key: string, body: Buffer | string, more: Fields = {}): string {
  const bytes = Buffer.from(body)
  const object = { key, size: bytes.length, etag: etagOf(bytes).slice(1, -1), ...more }
  return JSON.stringify({
    ...{ version: '0', source: 'aws.s3', 'detail-type': 'Object Created', time: new Date().toISOString() },
    detail: { version: '0', bucket: { name: 'bucket' }, object, reason: 'PutObject' },
  })
}

export const testEvent = JSON.stringify({
  ...{ Service: 'Amazon S3', Event: 's3:TestEvent', Time: '2026-01-10T12:00:00.000Z', Bucket: 'bucket' },
})
