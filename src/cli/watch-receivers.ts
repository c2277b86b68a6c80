/** Who is told of alerts. */
import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { readNamed } from '../disk/named-file.ts'
import { errorCode, exitStatus, UserError } from '../errors.ts'
import type { Receiver } from '../watch/receivers/receiver.ts'
import { note, outputIsGone, print } from './output.ts'
import { type AwsCliOptions, awsOptionsOf } from './source-options.ts'

export interface ReceiverOptions extends AwsCliOptions {
  webhook?: string
  webhookSecretFile?: string
  syslog?: string
  sns?: string
  exec?: string
}

const secretVariable = 'TIDEMARK_WEBHOOK_SECRET'

/** Who is told; without anybody, whoever reads standard output. @throws UserError */
export async function receiversOf(options: ReceiverOptions): Promise<Receiver[]> {
  const { webhook, webhookSecretFile, syslog, sns, exec } = options
  if (webhook === undefined && webhookSecretFile !== undefined)
    throw usage(
      '--webhook-secret-file needs --webhook',
      'name the address: --webhook https://alerts.example.com/tidemark',
    )
  const receivers: Receiver[] = []
  if (webhook !== undefined) receivers.push(await webhookOf(webhook, webhookSecretFile))
  if (syslog !== undefined) {
    const module = await import('../watch/receivers/syslog.ts')
    receivers.push(module.syslog(module.syslogAddress(syslog)))
  }
  if (sns !== undefined) {
    const module = await import('../watch/receivers/sns.ts')
    const topic = module.sns(module.topicOf(sns), awsOptionsOf(options))
    // A package that is missing, or a role that cannot be taken on, is told now, and not with the first alert.
    await topic.check(text => note(`tidemark: ${text}`))
    receivers.push(topic)
  }
  if (exec !== undefined) {
    const { program } = await import('../watch/receivers/exec.ts')
    receivers.push(program(programAt(exec)))
  }
  return receivers.length > 0 ? receivers : [await printer()]
}

async function webhookOf(name: string, secretFile: string | undefined): Promise<Receiver> {
  const { webhook, webhookAddress } = await import('../watch/receivers/webhook.ts')
  const text = name.startsWith('@') ? secretIn('--webhook', name.slice(1)) : name
  const url = webhookAddress(text)
  const secret = secretFile === undefined ? process.env[secretVariable] : secretIn('--webhook-secret-file', secretFile)
  // No child process is to find it.
  delete process.env[secretVariable]
  if (url.protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
    await note(`tidemark: alerts go to ${url.origin} unencrypted: who is on the way can read them`)
  if (secret === undefined || secret === '')
    await note(`tidemark: alerts to ${url.origin} are not signed: set ${secretVariable} or --webhook-secret-file`)
  return webhook(url, secret === undefined || secret === '' ? null : secret)
}

/** What a file holds that nobody else is to see. It is in no message. @throws UserError */
function secretIn(option: string, path: string): string {
  const text = readNamed(`${option} ${path}`, path, 1, exitStatus.usage).toString().trim()
  if (text === '' || /[\r\n]/.test(text))
    throw usage(`${option}: not one line of text: ${path}`, 'write it as the only line of the file')
  return text
}

/** @throws UserError for what cannot be run. */
function programAt(name: string): string {
  const path = resolve(name)
  try {
    accessSync(path, constants.X_OK)
    if (statSync(path).isFile()) return path
  } catch (error) {
    if (errorCode(error) === 'ENOENT')
      throw usage(`no such program: --exec ${name}`, 'name the file itself: it is not looked for in PATH')
  }
  throw usage(
    `not a program that can be run: --exec ${name}`,
    'name one file, without arguments; chmod +x makes a script runnable',
  )
}

/** Standard output: alerts are there for whoever reads it. */
async function printer(): Promise<Receiver> {
  const { DeliveryError } = await import('../watch/receivers/receiver.ts')
  return {
    kind: 'print',
    to: 'standard output',
    async send({ text }) {
      await print(text)
      if (outputIsGone()) throw new DeliveryError('nobody reads standard output any more')
    },
  }
}

function usage(message: string, hint: string): UserError {
  return new UserError(message, { hint, status: exitStatus.usage })
}
