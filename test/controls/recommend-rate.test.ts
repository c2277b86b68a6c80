import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientRates, clientsOver, recommendRate } from '../../src/controls/recommend-rate.ts'
import { begin, type Made, made, type Row } from './made-traffic.ts'

const victim = '10.130.8.94'
const subject = '20.106.124.93'
const services = [
  {
    id: 'S1',
    server: victim,
    port: 80,
    protocol: 6,
    findings: [
      { id: 'F1', rule: 'brute-force' },
      { id: 'F9', rule: 'non-standard-port' },
    ],
  },
]
const guesses: Row = { client: subject, server: victim, port: 80, at: 0, times: 1000, isAttack: true }

function found(given: Partial<Made> & Pick<Made, 'rows'>) {
  return recommendRate(made({ protect: [victim], subjects: [subject], services, ...given }))
}

const client = (times: number, from = '198.51.100.7', at = 0): Row => ({
  client: from,
  server: victim,
  port: 80,
  at,
  times,
})

test('a limit has ten times what the busiest other client needs, as long as the attack came twice as often', () => {
  const [one, ...more] = found({ rows: [guesses, client(14), client(12, '198.51.100.8')] })
  assert.deepEqual(more, [])
  assert.deepEqual(one!.artefact, {
    what: 'rate-rule',
    name: 'tidemark-rate-10-130-8-94',
    limit: 140,
    window: 300,
    servers: [victim],
  })
  assert.match(
    one!.why,
    /up to 300 answered connections .* in 300 s \(20\.106\.124\.93\); the busiest of 2 other clients up to 14 \(198\.51\.100\.7\)/,
  )
  assert.match(one!.why, /The limit of 140 is 10 times the busiest other client\./)
  const [near] = found({ rows: [guesses, client(40)] })
  assert.equal((near!.artefact as { limit: number }).limit, 150)
  assert.match(near!.why, /The limit of 150 is 3\.7 times the busiest other client, and half of what the attack made\./)
  assert.match(one!.why, /connections stand in for them/)
  assert.deepEqual(one!.answers, ['S1', 'F1'])
})

test('no limit is below that of AWS', () => {
  assert.equal((found({ rows: [{ ...guesses, times: 15 }, client(1)] })[0]!.artefact as { limit: number }).limit, 10)
})

test('between two that are near, the margin is said to be small', () => {
  const [one] = found({ rows: [{ ...guesses, times: 300 }, client(200)] })
  assert.equal((one!.artefact as { limit: number }).limit, 250)
  assert.match(one!.why, /the margin is small/)
})

test('where others come as often, no limit is recommended, and the text says why', () => {
  const [one] = found({ rows: [guesses, client(1000)] })
  assert.deepEqual(one!.artefact, { what: 'advice' })
  assert.match(one!.why, /No limit lies between the two/)
  const slow = found({ rows: [{ ...guesses, times: 10 }] })
  assert.deepEqual(slow[0]!.artefact, { what: 'advice' })
})

test('another window is taken where it tells them apart', () => {
  // In five minutes one makes half of what the other does; the other goes on.
  const [one] = found({ rows: [guesses, client(150)] })
  assert.deepEqual(one!.artefact, {
    what: 'rate-rule',
    name: 'tidemark-rate-10-130-8-94',
    limit: 300,
    window: 600,
    servers: [victim],
  })
})

test('a window without a margin will do where there is none with', () => {
  const [one] = found({ rows: [guesses, client(300)] })
  const { limit, window } = one!.artefact as { limit: number; window: number }
  assert.deepEqual([limit, window], [450, 600])
})

test('a window shorter than the interval of the log is not taken', () => {
  const [one] = found({ rows: [guesses, client(40)], interval: 600 })
  assert.equal((one!.artefact as { window: number }).window, 600)
})

test('without another client the limit is half of what the attack did, and says so', () => {
  const [one] = found({ rows: [guesses] })
  assert.equal((one!.artefact as { limit: number }).limit, 150)
  assert.match(one!.why, /no other client was recorded.*half of what the attack made/)
})

test('only guesses on ports of the web have a rate rule', () => {
  const at = (port: number, rule: string) => [{ ...services[0]!, port, findings: [{ id: 'F1', rule }] }]
  assert.deepEqual(found({ rows: [{ ...guesses, port: 22 }], services: at(22, 'brute-force') }), [])
  assert.deepEqual(found({ rows: [guesses], services: at(80, 'beacon') }), [])
  assert.equal(found({ rows: [guesses], services: at(80, 'D02-brute-force') }).length, 1)
  assert.deepEqual(found({ rows: [{ ...guesses, isAttack: false }] }), [])
})

test('counts answered connections of TCP with the servers and ports, and no others', () => {
  const rows: Row[] = [
    client(5),
    { ...client(3), outcome: 'rejected' },
    { ...client(3), protocol: 17 },
    { ...client(3), port: 22 },
    { ...client(3), server: '10.130.8.95' },
    { ...client(3), at: null },
  ]
  const rates = clientRates(made({ rows, protect: [victim] }), { servers: [victim], window: 300 })
  assert.deepEqual(
    rates.map(({ most, connections }) => [most, connections]),
    [[5, 5]],
  )
})

test('says which clients come over a limit, with which connections, and when', () => {
  const traffic = made({ rows: [guesses, client(10)], protect: [victim], pieces: 2 })
  const [one, ...more] = clientsOver(traffic, { servers: [victim], window: 60, limit: 20 })
  assert.deepEqual(more, [])
  assert.equal(one!.over.length, 980)
  assert.deepEqual(
    [one!.isAttack, one!.most, one!.first_us, one!.last_us],
    [true, 60, (begin + 20) * 1e6, (begin + 999) * 1e6],
  )
  const { piece, connection } = one!.over[0]!
  assert.equal(traffic.pieces[piece]!.connections.start_us[connection], one!.first_us)
})

test('counts as one does by hand, in whatever order connections stand', () => {
  const row = fc.record({ who: fc.nat(3), at: fc.nat(2000) })
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(60, 120, 300, 600),
      fc.integer({ min: 1, max: 6 }),
      (some, window, limit) => {
        const rows = some.map(({ who, at }) => client(1, `198.51.100.${who + 1}`, at))
        const slow = new Map<string, number>()
        for (const { client: one, at } of rows) {
          const count = rows.filter(of => of.client === one && of.at! <= at! && of.at! > at! - window).length
          // Of those at the same moment the last one counts all.
          slow.set(one, Math.max(slow.get(one) ?? 0, count))
        }
        const question = { servers: [victim], window }
        const traffic = made({ rows, protect: [victim] })
        const text = (host: number): string => `198.51.100.${Number(traffic.address(host).lo & 255n)}`
        const fast = new Map(clientRates(traffic, question).map(one => [text(one.client), one.most]))
        assert.deepEqual(new Map([...fast].sort()), new Map([...slow].sort()))
        const over = clientsOver(traffic, { ...question, limit }).map(one => text(one.client))
        assert.deepEqual(
          over.sort(),
          [...slow]
            .filter(([, most]) => most > limit)
            .map(([one]) => one)
            .sort(),
        )
        assert.deepEqual(
          clientRates(made({ rows: rows.toReversed(), protect: [victim], pieces: 3 }), question),
          clientRates(traffic, question),
        )
      },
    ),
    { numRuns: 200, seed: 14 },
  )
})
