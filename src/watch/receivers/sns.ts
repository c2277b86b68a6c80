/** Alerts for a topic of Amazon SNS. */
import { snsClient } from '../../aws/clients.ts'
import { type Asked, AwsError, ask } from '../../aws/errors.ts'
import type { AwsOptions } from '../../aws/options.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { DeliveryError, type Receiver, sendMilliseconds, withinTime } from './receiver.ts'

export interface Topic {
  arn: string
  region: string
  /** FIFO: the alert's id keeps it from being told twice within five minutes. */
  isFifo: boolean
}

/** @throws UserError (status 2) for what is no ARN of a topic. */
export function topicOf(text: string): Topic {
  const found = /^arn:aws[\w-]*:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/.exec(text)
  if (found === null)
    throw new UserError(`not the ARN of a topic: --sns ${text}`, {
      hint: 'it is like arn:aws:sns:eu-central-1:123456789012:alerts',
      status: exitStatus.usage,
    })
  return { arn: text, region: found[1]!, isFifo: found[2] !== undefined }
}

/** What SNS says of the message itself: others may be sent. */
const refusals = /^(InvalidParameter(Value)?(Exception)?|ValidationException|ParameterValueInvalid)$/

export interface TopicReceiver extends Receiver {
  /**
   * Makes the client, and finds the credentials. What may come right by itself, as the network, is told to `onNote`.
   *
   * @throws UserError where a package is missing; AwsError where the credentials do not count, or the role cannot be taken on.
   */
  check(onNote: (text: string) => Promise<void>): Promise<void>
}

/** The message is the alert as JSON; with an attribute for each of what a subscription may filter by. */
export function sns(
  topic: Topic,
  aws: AwsOptions,
  { timeout = sendMilliseconds }: { timeout?: number } = {},
): TopicReceiver {
  const asked: Asked = { doing: `publish to ${topic.arn}`, of: 'topic', name: topic.arn, right: 'sns:Publish' }
  let made: ReturnType<typeof snsClient> | null = null
  // The region is the topic's.
  const client = async (): ReturnType<typeof snsClient> => {
    made ??= snsClient({ ...aws, region: topic.region })
    try {
      return await made
    } catch (error) {
      // What failed once may be there the next time.
      made = null
      throw error
    }
  }
  return {
    kind: 'sns',
    to: topic.arn,
    async check(onNote) {
      const { client: sender } = await client()
      try {
        await ask(asked, () => sender.config.credentials())
      } catch (error) {
        if (!(error instanceof AwsError) || !error.isTransient) throw error
        await onNote(`${error.message}; alerts to it wait until it can be reached`)
      }
    },
    async send({ id, text }, signal) {
      const limit = withinTime(signal, timeout)
      try {
        const { sdk, client: sender } = await client()
        const { rule, severity } = JSON.parse(text) as { rule: string; severity: string }
        const attributes = Object.entries({ id, rule, severity }).map(([name, value]) => [
          ...[name, { DataType: 'String', StringValue: value }],
        ])
        const command = new sdk.PublishCommand({
          ...{ TopicArn: topic.arn, Message: text, MessageAttributes: Object.fromEntries(attributes) },
          ...(topic.isFifo && { MessageDeduplicationId: id, MessageGroupId: 'tidemark' }),
        })
        await ask(asked, () => sender.send(command, { abortSignal: limit.signal }), limit.signal)
      } catch (error) {
        signal.throwIfAborted()
        if (limit.signal.aborted) throw limit.signal.reason
        if (!(error instanceof UserError)) throw error
        const isRefused = error instanceof AwsError && refusals.test(error.code)
        throw new DeliveryError(
          error.hint === undefined ? error.message : `${error.message} (${error.hint})`,
          isRefused,
        )
      } finally {
        limit.end()
      }
    },
  }
}
