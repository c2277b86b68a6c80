import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Alert } from '../../src/watch/alert.ts'
import { Delivery } from '../../src/watch/delivery.ts'
import { Outbox } from '../../src/watch/outbox.ts'
import { DeliveryError, type Receiver } from '../../src/watch/receivers/receiver.ts'
import { temporaryFolder } from '../cli/run.ts'
import { until } from './support.ts'

const day = '2026-03-05'
const idOf = (n: number): string => n.toString(16).padStart(32, '0')
const alertOf = (n: number): Alert => ({ id: idOf(n), day, title: `"alert":{"made":${n}` }) as Alert

function folderOf(t: TestContext): string {
  const dir = temporaryFolder(t)
  for (const name of ['outbox', 'sent']) mkdirSync(join(dir, name))
  return dir
}

const strange: string[] = []
const open = (dir: string, kinds = ['webhook', 'exec']): Promise<Outbox> =>
  Outbox.open(dir, kinds, (path, why) => strange.push(`${path}: ${why}`))
const idsOf = (outbox: Outbox, kind: string): string[] => {
  const ids: string[] = []
  outbox.first(kind, ({ id }) => ids.push(id) < 0)
  return ids
}

test('an alert is on the disk until each receiver has it, and is known ever after', async t => {
  const dir = folderOf(t)
  const outbox = await open(dir)
  await outbox.put(alertOf(1), ['webhook', 'exec'], 5)
  await outbox.put(alertOf(2), ['webhook', 'exec'], 6)
  const entry = outbox.first('webhook', () => true)!
  assert.equal(entry.id, idOf(1))
  await outbox.done(entry, 'webhook')
  const again = await open(dir)
  assert.deepEqual(idsOf(again, 'webhook'), [idOf(2)])
  assert.deepEqual(idsOf(again, 'exec'), [idOf(1), idOf(2)])
  const first = again.first('exec', () => true)!
  assert.deepEqual(JSON.parse(first.text), alertOf(1))
  await again.done(first, 'exec')
  assert.deepEqual(readdirSync(join(dir, 'outbox')), [`${idOf(2)}.json`])
  for (const one of [again, await open(dir)]) {
    assert.ok(one.has(idOf(1), day))
    assert.ok(one.has(idOf(2), day))
    assert.ok(!one.has(idOf(3), day))
  }
})

test('what a killed process left between two steps is put right', async t => {
  const dir = folderOf(t)
  const outbox = await open(dir)
  for (const n of [1, 2]) await outbox.put(alertOf(n), ['webhook'], n)
  // Remembered, and not yet taken away; and half a line of the next.
  appendFileSync(join(dir, 'sent', `${day}.txt`), `${idOf(1)}\n${idOf(2).slice(0, 20)}`)
  const again = await open(dir)
  assert.deepEqual(idsOf(again, 'webhook'), [idOf(2)])
  await again.done(again.first('webhook', () => true)!, 'webhook')
  const last = await open(dir)
  assert.equal(last.waiting, 0)
  assert.ok(last.has(idOf(2), day))
})

test('a receiver that is there no more is not waited for; a file that is no alert is named, and left', async t => {
  const dir = folderOf(t)
  await (await open(dir)).put(alertOf(1), ['webhook', 'exec'], 1)
  writeFileSync(join(dir, 'outbox', `${idOf(7)}.json`), '{"made":')
  writeFileSync(join(dir, 'outbox', 'note.txt'), 'mine')
  strange.length = 0
  const outbox = await open(dir, ['exec'])
  assert.deepEqual(idsOf(outbox, 'webhook'), [])
  assert.deepEqual(idsOf(outbox, 'exec'), [idOf(1)])
  assert.equal(strange.length, 2)
  assert.equal((await open(dir, [])).waiting, 0)
  assert.equal(readFileSync(join(dir, 'outbox', 'note.txt'), 'utf8'), 'mine')
})

const pace = { firstWait: 10, longestWait: 50 }

async function delivery(t: TestContext, alerts: number, receivers: Receiver[]) {
  const outbox = await open(
    folderOf(t),
    receivers.map(({ kind }) => kind),
  )
  for (let n = 1; n <= alerts; n++)
    await outbox.put(
      alertOf(n),
      receivers.map(({ kind }) => kind),
      n,
    )
  const notes: string[] = []
  const sending = new Delivery(outbox, receivers, { onNote: text => notes.push(text), pace, now: Date.now })
  sending.start()
  t.after(() => sending.stop())
  return { outbox, sending, notes }
}

test('a receiver that is down gets every alert when it is up again, and keeps none from the others', async t => {
  const [got, others] = [[] as string[], [] as string[]]
  let isDown = true
  const webhook: Receiver = {
    ...{ kind: 'webhook', to: 'w' },
    async send({ id }) {
      if (isDown) throw new DeliveryError('it is down')
      got.push(id)
    },
  }
  const exec: Receiver = { kind: 'exec', to: 'e', send: async ({ id }) => void others.push(id) }
  const { outbox, sending, notes } = await delivery(t, 20, [webhook, exec])
  await until('the other has all', () => others.length === 20)
  await wait(100)
  assert.equal(outbox.waiting, 20)
  assert.equal(sending.states[0]!.last_error!.what, 'it is down')
  isDown = false
  await until('all are told', () => outbox.waiting === 0)
  assert.deepEqual(
    got,
    Array.from({ length: 20 }, (_, i) => idOf(i + 1)),
  )
  assert.equal(notes.length, 2, notes.join('\n'))
  await sending.stop()
})

test('an alert that a receiver refuses keeps no other from it, and a run that is to end does not wait for it', async t => {
  const got: string[] = []
  let tries = 0
  const webhook: Receiver = {
    ...{ kind: 'webhook', to: 'w' },
    async send({ id }) {
      if (id === idOf(1) && ++tries > 0) throw new DeliveryError('too large', true)
      got.push(id)
    },
  }
  const { outbox, sending } = await delivery(t, 5, [webhook])
  await sending.settle(3, new AbortController().signal)
  assert.deepEqual(got, [2, 3, 4, 5].map(idOf))
  assert.equal(outbox.waiting, 1)
  await until('it is tried again', () => tries > 2)
  await sending.stop()
})

test('a stop ends what is being sent, and it stays in the outbox', async t => {
  const webhook: Receiver = {
    ...{ kind: 'webhook', to: 'w' },
    send: (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
  const { outbox, sending, notes } = await delivery(t, 3, [webhook])
  await wait(50)
  await sending.stop()
  assert.equal(outbox.waiting, 3)
  assert.deepEqual(notes, [])
})
