/** Killed at any moment, with objects that come late, in any order and more than once, and a receiver that often fails. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { verifyCase } from '../../src/store/verify.ts'
import { tidemark } from '../cli/run.ts'
import { chanceFrom, folderFor, setting } from '../robustness/support.ts'
import {
  awsName,
  casesIn,
  guessLines,
  healthIn,
  isIdle,
  listen,
  logOf,
  put,
  recordsIn,
  startWatch,
  until,
} from './support.ts'

const objects = setting('WATCH_OBJECTS', 300)
const kills = setting('WATCH_KILLS', 6)
const seed = setting('WATCH_SEED', 20261127)
/** Seconds for the last process to read what is left: with many kills that is most of it. */
const patience = Math.max(120, objects / 10)

interface MadeObject {
  name: string
  text: string
  lines: string[]
}

const attackers = 5
/** Objects that come after the last kill: the last process has something to read and to look at. */
const last = 20
const began = Date.UTC(2026, 0, 10, 12) / 1000
/** The objects span a day and a half, and so two days of UTC. */
const span = 36 * 3600

/** Small objects of guesses at log-ins: each line is in one of them. */
function madeObjects(count: number): MadeObject[] {
  return Array.from({ length: count }, (_, n) => {
    const at = began + Math.floor((n * span) / count)
    const lines = [0, 1].flatMap(i => guessLines(1 + (n % attackers), 2 * n + i, at + i))
    return { name: awsName(at + 60, `obj${n}`), text: logOf(lines), lines }
  })
}

function seenIn(out: string): number {
  const lines = readFileSync(join(out, 'seen.jsonl'), 'utf8')
    .split('\n')
    .filter(line => line.endsWith('}'))
  return new Set(lines.map(line => (JSON.parse(line) as { path: string }).path)).size
}

function keyOf(line: string): string {
  const [, , , , , sport, dport, , , bytes, start] = line.split(' ')
  return `${sport} ${dport} ${Number(bytes)} ${Number(start)}`
}

test(`${objects} objects late, reordered and repeated, with ${kills} kills: each record is there once, each alert is told under one id`, async t => {
  t.diagnostic(`seed ${seed}`)
  const chance = chanceFrom(seed)
  const root = folderFor(t)
  const [folder, out, health] = [join(root, 'in'), join(root, 'out'), join(root, 'health.json')]
  mkdirSync(folder)
  const made = madeObjects(objects)
  const order = [...made].sort(() => (chance.maybe(0.5) ? 1 : -1))
  // A third of the answers is no, or none, or the connection ends.
  const ids = new Map<string, string>()
  const listener = await listen(t, ({ alert, headers }) => {
    assert.equal(headers['tidemark-alert-id'], alert.id)
    const about = `${alert.rule} ${alert.subject[0]} ${alert.peers_total === 1 ? alert.peers[0] : ''} ${alert.day}`
    assert.equal(ids.get(alert.id) ?? about, about)
    ids.set(alert.id, about)
    return chance.maybe(0.7) ? 204 : chance.pick([500, 429, 0])
  })
  const args = [folder, '--out', out, '--webhook', listener.url, '--health', health]
  const start = () => startWatch(t, [...args, '--every', '300ms', '--settle', '60ms', '--max-alerts', '100000'])
  let written = 0
  let copies = 0
  const write = (most: number, upTo: number): void => {
    for (const end = Math.min(upTo, written + most); written < end; written++) {
      const one = order[written]!
      put(folder, one.name, one.text)
      // The same again under another name, of another day too.
      if (chance.maybe(0.1)) put(folder, awsName(began + chance.int(0, span), `copy${copies++}`), one.text)
    }
  }
  let running = start()
  for (let kill = 0; kill < kills; kill++) {
    const end = performance.now() + chance.int(200, 4000)
    while (performance.now() < end) {
      write(Math.ceil(objects / (4 * kills)), objects - last)
      await wait(chance.int(20, 300))
    }
    running.child.kill('SIGKILL')
    await running.ended
    running = start()
  }
  write(objects, objects)
  await until(
    'everything is read and told',
    () => {
      const state = healthIn(health)
      return (
        state !== null &&
        state.pid === running.child.pid &&
        isIdle(state, 0) &&
        state.updated > new Date(Date.now() - 3000).toISOString()
      )
    },
    running,
    patience,
  )
  // What came in the last moment is seen, too.
  await until('every object is known', () => seenIn(out) === objects + copies, running, patience)
  await until('everything is told', () => isIdle(healthIn(health), 0), running)
  running.child.kill('SIGTERM')
  assert.deepEqual(await running.ended, { status: 0, signal: null }, running.said.err)

  const wanted = new Map(made.flatMap(({ lines }) => lines.map(line => [keyOf(line), 1] as const)))
  assert.deepEqual(await recordsIn(out), wanted)
  for (const dir of casesIn(out)) assert.ok((await verifyCase(dir)).intact, dir)

  // Everything that was found was told, and is remembered as told; nothing waits.
  assert.deepEqual(readdirSync(join(out, 'outbox')), [])
  const told = new Set(listener.heard.map(({ alert }) => alert.id))
  const remembered = readdirSync(join(out, 'sent')).flatMap(name =>
    readFileSync(join(out, 'sent', name), 'utf8')
      .split('\n')
      .filter(line => line !== ''),
  )
  assert.deepEqual([...told].sort(), [...new Set(remembered)].sort())
  // A watch that nobody disturbs finds no other.
  const calm = tidemark([
    'watch',
    folder,
    '--out',
    join(root, 'calm'),
    '--once',
    '--settle',
    '60ms',
    '--max-alerts',
    '100000',
  ])
  assert.equal(calm.status, 0, calm.stderr)
  const unbroken = calm.stdout
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { id: string }).id)
  assert.ok(unbroken.length >= attackers, calm.stdout)
  assert.deepEqual(
    unbroken.filter(id => !told.has(id)),
    [],
  )
})
