/** A watch on a bucket, and on a queue, killed at any moment: objects come late, in any order, more than once, are overwritten, and the server often fails. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { verifyCase } from '../../src/store/verify.ts'
import { type Chance, chanceFrom, setting } from '../robustness/support.ts'
import { event, notification, type QueueStub, startQueue, testEvent, throughSns } from '../sources/queue-stub.ts'
import { type Stub, startStub } from '../sources/stub.ts'
import { keyAt, once, placeFor, startWatch, stateIn, stop, yesterday } from './objects.ts'
import { casesIn, guessLines, isIdle, listen, logOf, recordsIn, until } from './support.ts'

const objects = setting('WATCH_OBJECTS', 150)
const kills = setting('WATCH_KILLS', 5)
const seed = setting('WATCH_SEED', 20261127)
/** Seconds for the last process to read what is left. */
const patience = Math.max(300, objects / 10)

const attackers = 5
/** Objects that come after the last kill: the last process has something to read and to look at. */
const last = 20
/** The objects span a day and a half, and so three days of UTC at most. */
const span = 36 * 3600
const began = yesterday - 6 * 3600

interface MadeObject {
  key: string
  text: string
  lines: string[]
}

/** Small objects of guesses at log-ins: each line is in one of them. */
function madeObjects(): MadeObject[] {
  return Array.from({ length: objects }, (_, n) => {
    const at = began + Math.floor((n * span) / objects)
    const lines = [0, 1].flatMap(i => guessLines(1 + (n % attackers), 2 * n + i, at + i))
    return { key: keyAt(at + 60, `obj${n}`), text: logOf(lines), lines }
  })
}

function keyOf(line: string): string {
  const [, , , , , sport, dport, , , bytes, start] = line.split(' ')
  return `${sport} ${dport} ${Number(bytes)} ${Number(start)}`
}

/** Writes objects, and tells of them: some twice, some under two keys, some first by half. */
class Writer {
  readonly order: MadeObject[]
  private readonly stub: Stub
  private readonly queue: QueueStub | null
  private readonly chance: Chance
  private written = 0
  private copies = 0
  /** Objects of which only the beginning is there. */
  private begun: MadeObject[] = []

  constructor(stub: Stub, queue: QueueStub | null, chance: Chance) {
    this.stub = stub
    this.queue = queue
    this.chance = chance
    this.order = madeObjects().sort(() => (chance.maybe(0.5) ? 1 : -1))
  }

  write(most: number, upTo: number): void {
    const { chance } = this
    this.finish()
    for (const end = Math.min(upTo, this.written + most); this.written < end; this.written++) {
      const one = this.order[this.written]!
      const { key, text } = one
      // Its beginning first: then it has grown.
      const isBegun = chance.maybe(0.1)
      this.put(key, isBegun ? `${text.split('\n').slice(0, 3).join('\n')}\n` : text)
      if (isBegun) this.begun.push(one)
      if (chance.maybe(0.1)) this.put(keyAt(began + chance.int(0, span), `copy${this.copies++}`), text)
      if (chance.maybe(0.1)) this.queue?.send(testEvent)
    }
  }

  /** Writes the whole of what is begun. */
  finish(): void {
    for (const { key, text } of this.begun.splice(0)) this.put(key, text)
  }

  private put(key: string, text: string): void {
    const { queue, chance } = this
    this.stub.objects.set(key, Buffer.from(text))
    if (queue === null) return
    const forms = [
      notification(key, text),
      event(key, text),
      throughSns(notification(key, text)),
      notification(key, text, { eTag: undefined, size: undefined }),
    ]
    for (let times = chance.maybe(0.2) ? 2 : 1; times > 0; times--) queue.send(chance.pick(forms))
  }
}

/** A fifth of the answers is bad. */
function troubled(stub: Stub, queue: QueueStub | null, chance: Chance): void {
  stub.fault = ({ key }) => {
    if (!chance.maybe(0.2)) return null
    return key !== '' && chance.maybe(0.5) ? { cutAfter: chance.int(0, 200) } : { answer: 500, code: 'InternalError' }
  }
  if (queue !== null) queue.fault = () => (chance.maybe(0.1) ? { status: 500, code: 'InternalError' } : null)
}

async function run(t: TestContext, kind: 'bucket' | 'queue'): Promise<void> {
  t.diagnostic(`seed ${seed}`)
  const chance = chanceFrom(seed)
  const stub = await startStub(t)
  // A message that a killed watch held comes again three seconds later.
  const queue = kind === 'queue' ? startQueue(stub, 25) : null
  const strange = queue?.send('{"no":"notification"}')
  const place = placeFor(t)
  const writer = new Writer(stub, queue, chance)
  troubled(stub, queue, chance)
  const ids = new Map<string, string>()
  const listener = await listen(t, ({ alert }) => {
    const about = `${alert.rule} ${alert.subject[0]} ${alert.peers_total === 1 ? alert.peers[0] : ''} ${alert.day}`
    assert.equal(ids.get(alert.id) ?? about, about)
    ids.set(alert.id, about)
    return chance.maybe(0.7) ? 204 : chance.pick([500, 429, 0])
  })
  const source = kind === 'queue' ? ['sqs://objects'] : ['s3://bucket/AWSLogs/', '--late', '4d', '--poll', '200ms']
  const args = [...source, ...place.args, '--every', '300ms', '--max-alerts', '100000']
  const start = () => startWatch(t, stub, [...args, '--webhook', listener.url])
  let running = start()
  for (let kill = 0; kill < kills; kill++) {
    const end = performance.now() + chance.int(200, 4000)
    while (performance.now() < end) {
      writer.write(Math.ceil(objects / (4 * kills)), objects - last)
      await wait(chance.int(20, 300))
    }
    running.child.kill('SIGKILL')
    await running.ended
    running = start()
  }
  writer.write(objects, objects)
  await wait(500)
  writer.finish()
  const wanted = new Map(writer.order.flatMap(({ lines }) => lines.map(line => [keyOf(line), 1] as const)))
  const isDone = (): boolean =>
    stateIn(place)?.pid === running.child.pid && isIdle(stateIn(place), 0) && stateIn(place).unread.total === 0
  if (queue !== null)
    await until('every message is deleted', () => queue.messages.size === 1 && isDone(), running, patience)
  // What came in the last moment is seen, too.
  for (const end = performance.now() + patience * 1000; performance.now() < end; await wait(500))
    if (isDone() && (await recordsIn(place.out)).size === wanted.size) break
  await until('everything is told', isDone, running)
  await stop(running)
  if (queue !== null) assert.deepEqual([...queue.messages.keys()], [strange])

  assert.deepEqual(await recordsIn(place.out), wanted)
  for (const dir of casesIn(place.out)) assert.ok((await verifyCase(dir)).intact, dir)
  assert.deepEqual(readdirSync(join(place.out, 'outbox')), [])
  const told = new Set(listener.heard.map(({ alert }) => alert.id))
  const remembered = readdirSync(join(place.out, 'sent')).flatMap(name =>
    readFileSync(join(place.out, 'sent', name), 'utf8')
      .split('\n')
      .filter(line => line !== ''),
  )
  assert.deepEqual([...told].sort(), [...new Set(remembered)].sort())
  // A watch that nobody disturbs finds no other.
  stub.fault = () => null
  const calm = await once(t, stub, [
    ...['s3://bucket/AWSLogs/', '--late', '4d', '--max-alerts', '100000', '--out', join(place.out, '..', 'calm')],
  ])
  assert.equal(calm.status, 0, calm.said)
  assert.ok(calm.alerts.length >= attackers)
  assert.deepEqual(
    calm.alerts.map(({ id }) => id).filter(id => !told.has(id)),
    [],
  )
}

test(`${objects} objects of a bucket, with ${kills} kills: each record is there once, each alert is told under one id`, t =>
  run(t, 'bucket'))

test(`${objects} objects of a queue, with ${kills} kills: each record is there once, each alert is told under one id`, t =>
  run(t, 'queue'))
