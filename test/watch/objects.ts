/** A watch on a bucket or a queue, against the stand-ins for them. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Alert } from '../../src/watch/alert.ts'
import type { Health } from '../../src/watch/health.ts'
import { temporaryFolder } from '../cli/run.ts'
import { start } from '../sources/command.ts'
import { canaries, type Stub } from '../sources/stub.ts'
import { awsName, guessLines, healthIn, logOf, type Running, recordsIn } from './support.ts'

/** Seconds since the epoch: noon of yesterday, by the clock of the test. */
export const yesterday = Math.floor(Date.now() / 86_400_000) * 86_400 - 43_200

/** A log-in that is guessed sixty times, in one object. */
export const attack = logOf(Array.from({ length: 60 }, (_, i) => guessLines(1, i, yesterday + 10 * i)).flat())

/** One guess, unlike those of other numbers. */
export function guess(number: number, at = yesterday): string {
  return logOf(guessLines(2 + (number % 5), number, at + number))
}

/** The key of an object whose records may end in the minute of `at`, seconds since the epoch. */
export function keyAt(at: number, unique: string, root = 'AWSLogs/123456789012/vpcflowlogs/eu-central-1'): string {
  const [year, month, day] = new Date(at * 1000).toISOString().slice(0, 10).split('-')
  const folders = root.includes('=') ? `year=${year}/month=${month}/day=${day}` : `${year}/${month}/${day}`
  return `${root}/${folders}/${awsName(at, unique)}`
}

export interface Place {
  out: string
  health: string
  args: string[]
}

export function placeFor(t: TestContext): Place {
  const root = temporaryFolder(t)
  const [out, health] = [join(root, 'out'), join(root, 'health.json')]
  return { out, health, args: ['--out', out, '--health', health, '--every', '100ms'] }
}

/** Starts `tidemark watch ARGS` against the stand-ins. */
export function startWatch(
  t: TestContext,
  stub: Stub,
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  const child = start(stub, ['watch', ...args], env)
  const said = { out: '', err: '' }
  child.stdout!.on('data', piece => (said.out += piece))
  child.stderr!.on('data', piece => (said.err += piece))
  const ended = new Promise<{ status: number | null; signal: string | null }>(resolve =>
    child.on('close', (status, signal) => resolve({ status, signal })),
  )
  t.after(() => child.kill('SIGKILL'))
  return { child, said, ended }
}

/** Runs a watch with `--once`. */
export async function once(
  t: TestContext,
  stub: Stub,
  args: readonly string[],
): Promise<{ status: number | null; alerts: Alert[]; said: string }> {
  const running = startWatch(t, stub, [...args, '--once'])
  const { status } = await running.ended
  const alerts = running.said.out.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Alert]))
  assertNoSecrets(running.said.err + running.said.out)
  return { status, alerts, said: running.said.err }
}

export async function stop(running: Running): Promise<void> {
  running.child.kill('SIGTERM')
  assert.deepEqual(await running.ended, { status: 0, signal: null }, running.said.err)
  assertNoSecrets(running.said.err + running.said.out)
}

function assertNoSecrets(text: string): void {
  for (const secret of [canaries.AWS_ACCESS_KEY_ID, canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_SESSION_TOKEN])
    assert.ok(!text.includes(secret), secret)
}

/** Keys of objects that were read, each time that it was. */
export function readsOf(stub: Stub): string[] {
  return stub.requests.filter(({ method, key }) => method === 'GET' && key !== '').map(({ key }) => key)
}

export async function total(out: string): Promise<number> {
  return [...(await recordsIn(out)).values()].reduce((sum, n) => sum + n, 0)
}

export function stateIn({ health }: Place): Health {
  return healthIn(health)!
}

/** A credentials file's text. */
export function credentialsOf(accessKey: string): string {
  return `[default]\naws_access_key_id = ${accessKey}\naws_secret_access_key = canary-secret-of-a-file\naws_session_token = ${accessKey}-session\n`
}

/** The environment of a process that finds its credentials in that file alone. */
export function filedCredentials(path: string): Record<string, string> {
  const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '' }
  return { ...none, AWS_SHARED_CREDENTIALS_FILE: path }
}
