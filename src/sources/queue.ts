/** A queue of Amazon SQS: messages are received, held while they are worked on, and deleted. */
import { sqsClient } from '../aws/clients.ts'
import { type Asked, AwsError, ask } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import type { QueueUri } from './uri.ts'

export interface Message {
  /** The same each time that it is received. */
  id: string
  /** By which it is held and deleted: of this receipt of it. */
  receipt: string
  body: string
}

type Sqs = Awaited<ReturnType<typeof sqsClient>>

/** Of one request, as SQS has it. */
const messagesAtATime = 10

export class Queue {
  private readonly sqs: Sqs
  private readonly url: string
  private readonly name: string

  private constructor(sqs: Sqs, url: string, name: string) {
    this.sqs = sqs
    this.url = url
    this.name = name
  }

  /** @throws AwsError where there is no such queue; UserError where the package is missing. */
  static async open({ name, account, region }: QueueUri, aws: AwsOptions, signal: AbortSignal): Promise<Queue> {
    const sqs = await sqsClient(region === null ? aws : { ...aws, region })
    const command = new sqs.sdk.GetQueueUrlCommand({
      QueueName: name,
      ...(account !== null && { QueueOwnerAWSAccountId: account }),
    })
    const asked = askedOf('find', name, 'sqs:GetQueueUrl')
    const { QueueUrl: url } = await ask(asked, () => sqs.client.send(command, { abortSignal: signal }), signal)
    if (url === undefined)
      throw new AwsError(`cannot find the queue ${name}: the server gives no address of it`, 'check the endpoint', {
        ...{ code: 'NoQueueUrl', http: null, about: 'all', isTransient: false },
      })
    return new Queue(sqs, url, name)
  }

  /**
   * Messages that are there, ten at most; nobody else is given them for some time.
   *
   * @param wait seconds to wait for one.
   * @param hold seconds in which nobody else is given them.
   * @throws AwsError
   */
  async receive(wait: number, hold: number, signal: AbortSignal): Promise<Message[]> {
    const command = new this.sqs.sdk.ReceiveMessageCommand({
      ...{ QueueUrl: this.url, MaxNumberOfMessages: messagesAtATime },
      ...{ WaitTimeSeconds: wait, VisibilityTimeout: hold },
    })
    const answer = await this.ask('receive messages of', 'sqs:ReceiveMessage', signal, () =>
      this.sqs.client.send(command, { abortSignal: signal }),
    )
    return (answer.Messages ?? []).flatMap(({ MessageId: id, ReceiptHandle: receipt, Body: body }) =>
      id === undefined || receipt === undefined ? [] : [{ id, receipt, body: body ?? '' }],
    )
  }

  /** Hides these from others for some seconds from now on. @returns receipts that hold no more. @throws AwsError */
  hold(receipts: readonly string[], seconds: number, signal: AbortSignal): Promise<string[]> {
    return this.inBatches(receipts, async part => {
      const command = new this.sqs.sdk.ChangeMessageVisibilityBatchCommand({
        QueueUrl: this.url,
        Entries: part.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: seconds })),
      })
      const answer = await this.ask('hold messages of', 'sqs:ChangeMessageVisibility', signal, () =>
        this.sqs.client.send(command, { abortSignal: signal }),
      )
      return answer.Failed ?? []
    })
  }

  /** @returns receipts that hold no more: their messages come again. @throws AwsError */
  remove(receipts: readonly string[], signal: AbortSignal): Promise<string[]> {
    return this.inBatches(receipts, async part => {
      const command = new this.sqs.sdk.DeleteMessageBatchCommand({
        QueueUrl: this.url,
        Entries: part.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle })),
      })
      const answer = await this.ask('delete messages of', 'sqs:DeleteMessage', signal, () =>
        this.sqs.client.send(command, { abortSignal: signal }),
      )
      return answer.Failed ?? []
    })
  }

  private async inBatches(
    receipts: readonly string[],
    send: (part: string[]) => Promise<{ Id?: string | undefined }[]>,
  ): Promise<string[]> {
    const lost: string[] = []
    for (let from = 0; from < receipts.length; from += messagesAtATime) {
      const part = receipts.slice(from, from + messagesAtATime)
      for (const { Id } of await send(part)) lost.push(...part.slice(Number(Id), Number(Id) + 1))
    }
    return lost
  }

  private ask<T>(doing: string, right: string, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    return ask(askedOf(doing, this.name, right), call, signal)
  }

  close(): void {
    this.sqs.client.destroy()
  }
}

function askedOf(doing: string, name: string, right: string): Asked {
  return { doing: `${doing} the queue ${name}`, of: 'queue', name, right }
}
