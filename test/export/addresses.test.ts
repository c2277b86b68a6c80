/** No format forgets an address: where they are changed, none of the evidence's is in an output. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Addresses } from '../../src/export/addresses.ts'
import type { ExportFormat, ExportKind } from '../../src/export/formats.ts'
import { type Address, isIPv4 } from '../../src/net/address.ts'
import type { Case } from '../../src/store/case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { attacker, exported, victim, writeLog } from './case.ts'

/** Keeps the kind of an address. */
const change = (address: Address): Address =>
  isIPv4(address) ? { hi: 0n, lo: address.lo ^ 0x6400_0003n } : { hi: address.hi ^ 0x1n, lo: address.lo ^ 0xff00n }
const changed = new Addresses(change)

let work: Work
let c: Case
before(async () => {
  work = workFolder()
  c = await caseOf(work.root, [writeLog(work.root)])
})
after(async () => {
  await c.close()
  work.close()
})

const kept: [ExportFormat, ExportKind][] = [
  ...(['ocsf', 'ecs', 'ndjson', 'stix'] as const).map((to): [ExportFormat, ExportKind] => [to, 'all']),
  ...(['sigma', 'guardduty'] as const).map((to): [ExportFormat, ExportKind] => [to, 'findings']),
  ...(['records', 'connections', 'findings'] as const).map((what): [ExportFormat, ExportKind] => ['csv', what]),
  ['conn-log', 'connections'],
]
const ofEvidence = [
  attacker,
  victim,
  '10.0.0.6',
  '198.51.100.7',
  '192.0.2.77',
  '192.0.2.78',
  '192.0.2.79',
  '10.0.9.9',
  '2001:db8::9',
  '2001:db8:1::5',
  '10-0-0-5',
]

for (const [to, what] of kept)
  test(`no address of the evidence is in ${to} of ${what} where they are changed`, async () => {
    const { text, report } = await exported(c, work.root, { to, what, change })
    const plain = await exported(c, work.root, { to, what })
    assert(ofEvidence.some(address => plain.text.includes(address)))
    assert.deepEqual(
      ofEvidence.filter(address =>
        new RegExp(`(?<![\\d.:a-f])${address.replaceAll('.', '\\.')}(?![\\d.:a-f])`).test(text),
      ),
      [],
    )
    assert(text.includes(changed.address(victim)), 'the other names are there')
    // What stays as it was is said.
    const notes = report.notes.filter(note => !/ as they were|as in the evidence/.test(note))
    assert.equal(notes.length < report.notes.length, what !== 'connections', report.notes.join('; '))
    assert.deepEqual({ ...report, notes, out: '' }, { ...plain.report, out: '' })
    assert.doesNotMatch(text, /srcaddr = |::UBIGINT|SELECT /)
  })

test('a dossier’s findings change the same way', async () => {
  const { text } = await exported(c, work.root, { to: 'ndjson', of: [attacker], change })
  assert(text.includes(changed.address(attacker)) && !text.includes(attacker))
})

const texts: [string, string][] = [
  ['from 10.0.0.5 to 203.0.113.9:22.', 'from 110.0.0.6 to 175.0.113.10:22.'],
  ['10.0.0.0/8, 10.0.0.5/32', '110.0.0.0/8, 110.0.0.6'],
  ['[2001:db8::9]:443 and 2001:db8::9.', '[2001:db8:0:1::ff09]:443 and 2001:db8:0:1::ff09.'],
  ['2001:db8::/32 at 19:32:05', '2001:db8::/32 at 19:32:05'],
  ['ip-10-0-0-5.internal ec2-203-0-113-9', 'ip-110-0-0-6.internal ec2-175-0-113-10'],
  ['version 1.2.3, 1.2.3.4.5, 300.1.1.1, 02:00:5e:10:00:00', 'version 1.2.3, 1.2.3.4.5, 300.1.1.1, 02:00:5e:10:00:00'],
  ['::ffff:10.0.0.5', '110.0.0.6'],
  ['logs/of-10.0.0.5/a.log', 'logs/of-110.0.0.6/a.log'],
]
for (const [text, wanted] of texts)
  test(`the addresses in "${text}" are changed, and nothing else`, () => assert.equal(changed.text(text), wanted))

test('nothing is changed where nobody asks for it', () => {
  const same = new Addresses(null)
  for (const [text] of texts) assert.equal(same.text(text), text)
  assert.equal(same.address('::ffff:10.0.0.5'), '::ffff:10.0.0.5')
})
