import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { sweep } from '../../src/investigate/sweep.ts'
import { openCase } from '../../src/store/case.ts'
import { captureOf, logOf as logOfPackets, talk } from '../handmade.ts'
import { temporaryFolder, tidemark } from './run.ts'

const start = 1_700_000_000
const attacker = '203.0.113.9'

/** Web requests, a shell and a log of both at one interface. */
function folder(t: TestContext): string {
  const cwd = temporaryFolder(t)
  const packets = [
    ...talk({ at: start, client: `${attacker} 40000`, server: '10.0.0.5 80', answer: 5000 }),
    ...talk({
      at: start + 600,
      client: `${attacker} 40001`,
      server: '10.0.0.5 22',
      request: 30_000,
      answer: 60_000,
      lasts: 900,
    }),
    ...talk({ at: start + 700, client: '198.51.100.7 50000', server: '10.0.0.5 80' }),
  ]
  writeFileSync(join(cwd, 'a.log'), logOfPackets(packets))
  writeFileSync(join(cwd, 'a.pcap'), captureOf(packets))
  tidemark(['add', 'a.log'], { cwd })
  return cwd
}

const list = `# who is it
${attacker.replaceAll('.', '[.]')}  # the first
hxxp://198.51.100.7/login
evil.example.com or so
192.0.2.1,seen elsewhere
10.0.0.0/24
${attacker}
2001:db8::1
300.1.1.1
`

test('a list of indicators is swept, a bad line is named with file and line, and the rest is done', t => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'iocs.txt'), list)
  const { status, stdout, stderr } = tidemark(['investigate', '@iocs.txt'], { cwd })
  assert.equal(status, 3)
  assert.match(
    stderr,
    /2 lines of the list could not be read\n {2}iocs\.txt:4: not an address or network: evil\.example\.com or so\n {2}iocs\.txt:9: .*300\.1\.1\.1/,
  )
  assert.match(stdout, /3 of 5 indicators seen in \d+ flow records\./)
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /2 of 8 lines of the list are no addresses, and were not looked for: evil\.example\.com or so \(line 4\); 300\.1\.1\.1 \(line 9\)\./,
  )
  assert.deepEqual(JSON.parse(tidemark(['investigate', '@iocs.txt', '--json'], { cwd }).stdout).lists, {
    lines: 8,
    unread: 2,
    unread_lines: [
      {
        path: 'iocs.txt',
        line: 4,
        text: 'evil.example.com or so',
        problem: 'not an address or network: evil.example.com or so',
      },
      { path: 'iocs.txt', line: 9, text: '300.1.1.1', problem: 'not an address or network: 300.1.1.1' },
    ],
  })
  assert.match(stdout, /Not seen in what was read \(2\)[ ─]*\n {2}192\.0\.2\.1, 2001:db8::1\./)
  assert.match(stdout.replace(/\s+/g, ' '), /tidemark investigate 203\.0\.113\.9/)
})

test('a sweep agrees with the dossier of each indicator, and says what it did not judge', t => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'iocs.txt'), list)
  const found = JSON.parse(tidemark(['investigate', '@iocs.txt', '--json', '--judge', '1'], { cwd }).stdout)
  assert.deepEqual(found.indicators, { total: 5, seen: 3, judged: 1 })
  assert.equal(found.sweep.filter((row: { judged: boolean }) => row.judged).length, 1)
  for (const row of found.sweep) {
    const dossier = JSON.parse(tidemark(['investigate', row.indicator, '--json'], { cwd }).stdout)
    const { from_subject, to_subject } = dossier.bytes
    assert.deepEqual(
      [row.seen, row.records, row.rejected, row.bytes, row.first_start, row.last_end],
      [
        dossier.records.subject > 0,
        dossier.records.subject,
        dossier.records.rejected,
        { from_subject, to_subject, at_least: dossier.bytes.unsummed > 0 },
        dossier.window.first_start,
        dossier.window.last_end,
      ],
      row.indicator,
    )
    assert.equal(row.command, `tidemark investigate ${row.indicator}`)
    if (row.judged) assert.equal(row.findings, dossier.findings.length)
  }
})

test('a list of one is swept, several subjects on the command line are one dossier, and --sweep sweeps them', t => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'one.txt'), `${attacker}\n`)
  assert.match(tidemark(['investigate', '@one.txt'], { cwd }).stdout, /^Sweep for indicators\n/)
  assert.equal(JSON.parse(tidemark(['investigate', '@one.txt', '--json'], { cwd }).stdout).sweep.length, 1)
  assert.match(
    tidemark(['investigate', attacker, '10.0.0.5'], { cwd }).stdout,
    /^Dossier of 203\.0\.113\.9 and 10\.0\.0\.5\n/,
  )
  assert.match(tidemark(['investigate', attacker, '10.0.0.5', '--sweep'], { cwd }).stdout, /^Sweep for indicators\n/)
})

test('an address on the command line may be written as lists have it', t => {
  const cwd = folder(t)
  const of = (text: string): string => tidemark(['investigate', text], { cwd }).stdout.split('\n')[0]!
  for (const text of [attacker.replaceAll('.', '[.]'), `hxxp://${attacker}/login`])
    assert.equal(of(text), `Dossier of ${attacker}`)
})

test('a list that is not there, and one without an address, is bad usage', t => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'names.txt'), '# nothing\nevil.example.com\n')
  for (const [name, said] of [
    ['none.txt', /cannot read the list of subjects: none\.txt/],
    ['names.txt', /no address in the list: names\.txt\n {2}hint: line 2: not an address or network/],
  ] as const) {
    const { status, stderr } = tidemark(['investigate', `@${name}`], { cwd })
    assert.equal(status, 2)
    assert.match(stderr, said)
  }
})

test('--fail-on is status 4 where a finding of a sweep or a dossier is that severe, whatever could not be read', t => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'iocs.txt'), list)
  const sweepOf = (...args: string[]) => tidemark(['investigate', '@iocs.txt', '--fail-on', ...args], { cwd })
  assert.equal(sweepOf('medium').status, 4)
  assert.equal(sweepOf('none').status, 3)
  writeFileSync(join(cwd, 'other.txt'), '198.51.100.7\nnot an ip\n')
  assert.equal(tidemark(['investigate', '@other.txt', '--fail-on', 'high'], { cwd }).status, 3)
  assert.doesNotMatch(sweepOf('high').stderr, /--judge/)
  const some = sweepOf('high', '--judge', '1')
  assert.match(
    some.stderr,
    /--fail-on high knows the findings of 1 of 3 indicators seen\n {2}hint: --judge 3 judges all/,
  )
  writeFileSync(
    join(cwd, 'bad.log'),
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n2 x y\n',
  )
  tidemark(['add', 'bad.log'], { cwd })
  assert.equal(tidemark(['investigate', attacker, '--fail-on', 'medium'], { cwd }).status, 4)
  assert.equal(tidemark(['investigate', '198.51.100.7', '--fail-on', 'high'], { cwd }).status, 3)
  const found = JSON.parse(tidemark(['detect', '--json'], { cwd }).stdout).findings as { severity: string }[]
  assert.ok(found.length > 0)
  assert.equal(tidemark(['detect', '--fail-on', found[0]!.severity], { cwd }).status, 4)
  assert.equal(tidemark(['detect', '--fail-on', 'none'], { cwd }).status, 3)
})

test('a time wholly outside the evidence is a gap, and nothing is called complete', t => {
  const cwd = folder(t)
  for (const [args, said] of [
    [
      ['--from', '2023-11-16'],
      /the evidence ends at 2023-11-14T\d\d:\d\d:\d\dZ: nothing is known of the time that was asked for/,
    ],
    [
      ['--to', '2023-11-10'],
      /the evidence begins at 2023-11-14T\d\d:\d\d:\d\dZ: nothing is known of the time that was asked for/,
    ],
  ] as const) {
    const page = tidemark(['investigate', attacker, '--full', ...args], { cwd }).stdout.replace(/\s+/g, ' ')
    assert.match(page, said)
    assert.doesNotMatch(page, /No gap/)
    for (const more of [[], ['--sweep']]) {
      const { attack_surface, ...found } = JSON.parse(
        tidemark(['investigate', attacker, '--json', ...args, ...more], { cwd }).stdout,
      )
      const { complete, gaps } = attack_surface ?? found
      assert.equal(complete, false)
      assert.equal(gaps[0].reason, 'outside-evidence')
    }
  }
})

test('gaps make a sweep incomplete', t => {
  const cwd = folder(t)
  writeFileSync(
    join(cwd, 'bad.log'),
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n2 x y\n',
  )
  tidemark(['add', 'bad.log'], { cwd })
  const { status, stdout } = tidemark(['investigate', '192.0.2.1', attacker, '--sweep'], { cwd })
  assert.equal(status, 3)
  assert.match(stdout, /This answer has holes\.[\s\S]*What is not seen may be in what is missing\./)
})

const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

test('--from and --to take the records that overlap the time, and say what the window cuts and where the evidence ends', t => {
  const cwd = folder(t)
  const all = JSON.parse(tidemark(['investigate', attacker, '--json'], { cwd }).stdout)
  const part = (args: string[]) => JSON.parse(tidemark(['investigate', attacker, '--json', ...args], { cwd }).stdout)
  const rows = JSON.parse(tidemark(['flows', `ip ${attacker}`, '--json', '-n', '0'], { cwd }).stdout).rows as {
    start: string
    end: string
  }[]
  assert.equal(rows.length, all.records.subject)
  for (const [from, to] of [
    [start - 100, start + 300],
    [start + 700, start + 800],
    [start + 5000, start + 6000],
  ] as const) {
    const found = part(['--from', utc(from), '--to', utc(to)])
    const expected = rows.filter(row => Date.parse(row.start) / 1000 < to && Date.parse(row.end) / 1000 >= from)
    assert.equal(found.records.subject, expected.length)
    for (const item of found.work.filter((one: { figure: string }) => one.figure.startsWith('window.')))
      assert.match(item.sql, /epoch_us/)
  }
  const before = part(['--from', utc(start - 5000), '--to', utc(start + 300)])
  assert.match(before.selection.notes.join(' '), /The evidence begins at .*nothing is known/)
  const cut = part(['--from', utc(start + 700), '--to', utc(start + 900)])
  assert.match(cut.selection.notes.join(' '), /The window cuts 1 connection/)
  const page = tidemark(['investigate', attacker, '--from', utc(start + 700), '--to', utc(start + 900)], { cwd }).stdout
  assert.match(page, /Only records from .* to [\s\S]*The window cuts 1 connection/)
  // How many records there are at all times is no measure of the window's.
  assert.match(page, /took part in \d+ flow records? (?:at|between)/)
  const none = tidemark(['investigate', attacker, '--from', utc(start + 90_000)], { cwd }).stdout
  assert.match(none, /No record of 203\.0\.113\.9 in the part that was asked for/)
})

test('a day as --to means until its end, and a window that ends before it begins is refused', t => {
  const cwd = folder(t)
  const day = utc(start).slice(0, 10)
  const { records } = JSON.parse(
    tidemark(['investigate', attacker, '--json', '--from', day, '--to', day], { cwd }).stdout,
  )
  const all = JSON.parse(tidemark(['investigate', attacker, '--json'], { cwd }).stdout)
  assert.equal(records.subject, all.records.subject)
  for (const args of [
    ['--from', '2024-01-02', '--to', '2024-01-01'],
    ['--from', 'noon'],
  ])
    assert.equal(tidemark(['investigate', attacker, ...args], { cwd }).status, 2)
})

test('--sensor takes its records alone, and an unknown one is named with those that there are', t => {
  const cwd = folder(t)
  const { vantages } = JSON.parse(tidemark(['investigate', attacker, '--json'], { cwd }).stdout)
  const own = tidemark(['investigate', attacker, '--sensor', vantages[0].sensor], { cwd })
  assert.equal(own.status, 0)
  assert.match(own.stdout, /Other sensors may have recorded more of the subject/)
  const other = tidemark(['investigate', attacker, '--sensor', 'eni-none'], { cwd })
  assert.equal(other.status, 2)
  assert.match(other.stderr, new RegExp(`no such sensor in the case: eni-none\\n.*${vantages[0].sensor}`))
})

test('--lines prints the lines of a finding and of a service, as many as it says', t => {
  const cwd = folder(t)
  const dossier = JSON.parse(tidemark(['investigate', attacker, '--json', '--basis'], { cwd }).stdout)
  for (const { id, basis, basis_total } of dossier.findings) {
    assert.ok(basis.length >= basis_total, id)
    const { status, stdout } = tidemark(['investigate', attacker, '--lines', id], { cwd })
    assert.equal(status, 0)
    assert.equal(stdout.trimEnd().split('\n').length, basis.length)
  }
  for (const [i, service] of dossier.services.entries()) {
    const { stdout } = tidemark(['investigate', attacker, '--lines', `S${i + 1}`, '--json'], { cwd })
    const { total, shown, lines } = JSON.parse(stdout)
    assert.deepEqual([total, shown, lines.length], [service.records, service.records, service.records])
  }
  const ssh = dossier.findings.find((one: { rule: string }) => one.rule === 'interactive-session')
  const rows = tidemark(['flows', '--finding', ssh.id, '--of', attacker, '-o', 'lines'], { cwd }).stdout
  assert.equal(rows.trimEnd().split('\n').length, ssh.basis_total)
  assert.equal(tidemark(['investigate', attacker, '--lines', 'F99'], { cwd }).status, 2)
  assert.equal(tidemark(['investigate', attacker, '--lines', 'x'], { cwd }).status, 2)
})

test('the records of a capture have no lines, and it says what has', t => {
  const cwd = folder(t)
  const { status, stderr } = tidemark(['investigate', attacker, '--lines', 'S1', 'a.pcap'], { cwd })
  assert.equal(status, 2)
  assert.match(stderr, /made of packets: there are no lines\n.*tidemark carve/)
})

/** A line of the default format. */
function line(from: string, start: number | '-', end: number | '-'): string {
  return `2 123456789012 eni-1 ${from} 10.0.0.5 40000 443 6 3 300 ${start} ${end} ACCEPT OK`
}

test('a gap in the window that was asked for counts, though the subject has no record beside it', t => {
  const cwd = temporaryFolder(t)
  const minutes = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => line('198.51.100.7', start + from + 60 * i, start + from + 60 * i + 59))
  const lines = [line(attacker, start, start + 59), ...minutes(0, 20), ...minutes(7200, 20)]
  writeFileSync(join(cwd, 'a.log'), `${lines.join('\n')}\n`)
  tidemark(['add', 'a.log', '--format', 'default'], { cwd })
  const complete = (args: string[]): boolean =>
    JSON.parse(tidemark(['investigate', attacker, '--json', ...args], { cwd }).stdout).attack_surface.complete
  assert.equal(complete([]), true)
  assert.equal(complete(['--from', utc(start), '--to', utc(start + 900)]), true)
  assert.equal(complete(['--from', utc(start), '--to', utc(start + 3600)]), false)
})

test('records without a time are left out of a window, and counted', t => {
  const cwd = temporaryFolder(t)
  writeFileSync(
    join(cwd, 'a.log'),
    `${line(attacker, start, start + 59)}\n${line(attacker, start + 60, start + 119)}\n`,
  )
  writeFileSync(
    join(cwd, 'b.log'),
    `srcaddr dstaddr srcport dstport protocol bytes action\n${attacker} 10.0.0.5 40000 443 6 300 ACCEPT\n`,
  )
  tidemark(['add', 'a.log', '--format', 'default'], { cwd })
  tidemark(['add', 'b.log'], { cwd })
  const found = JSON.parse(tidemark(['investigate', attacker, '--json', '--from', utc(start - 60)], { cwd }).stdout)
  assert.equal(found.records.subject, 2)
  assert.match(found.selection.notes.join(' '), /1 record of the subject without a start or an end/)
})

test('the records of a finding without a time are those of its services', t => {
  const cwd = temporaryFolder(t)
  const head = 'srcaddr dstaddr srcport dstport protocol bytes action'
  writeFileSync(join(cwd, 'a.log'), `${head}\n${attacker} 10.0.0.5 40000 443 6 300 ACCEPT\n`)
  assert.equal(tidemark(['add', 'a.log'], { cwd }).status, 0)
  const dossier = JSON.parse(tidemark(['investigate', attacker, '--json'], { cwd }).stdout)
  const [finding] = dossier.findings
  assert.equal(finding.first_start, null)
  const ofTime = JSON.parse(tidemark(['investigate', attacker, '--json', '--to', '2023-01-01'], { cwd }).stdout)
  assert.doesNotMatch(ofTime.selection.notes.join(' '), /The evidence/)
  const rows = tidemark(['flows', '--finding', finding.id.toLowerCase(), '--of', attacker, '-o', 'lines'], { cwd })
  assert.equal(rows.status, 0, rows.stderr)
  assert.equal(rows.stdout.trimEnd().split('\n').length, finding.basis_total)
})

test('a sweep of the library names an indicator that is none', async t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'a.log'), `${line(attacker, start, start + 59)}\n`)
  assert.equal(tidemark(['add', 'a.log', '--format', 'default'], { cwd }).status, 0)
  const opened = await openCase(join(cwd, 'case.tidemark'))
  try {
    await assert.rejects(sweep(opened, [attacker, 'no-address']), (error: unknown) => {
      return error instanceof UserError && error.status === 2 && error.message.endsWith(': no-address')
    })
  } finally {
    await opened.close()
  }
})

test('a list without an end is refused, one of bad lines takes little memory, and UTF-16 is read either way round', {
  skip: process.platform === 'win32',
}, t => {
  const cwd = folder(t)
  const endless = tidemark(['investigate', '@/dev/zero'], { cwd })
  assert.equal(endless.status, 2)
  assert.match(endless.stderr, /a list of subjects exceeds 64 MiB: \/dev\/zero/)

  writeFileSync(join(cwd, 'bad.txt'), `${attacker}\n${'x\n'.repeat(1_000_000)}`)
  const bad = tidemark(['investigate', '@bad.txt', '--sweep'], {
    cwd,
    env: { NODE_OPTIONS: '--max-old-space-size=96' },
  })
  assert.equal(bad.status, 3, bad.stderr)
  assert.match(bad.stderr, /1,000,000 lines of the list could not be read\n {2}bad\.txt:2: /)
  assert.match(bad.stderr, /… and 999,980 more/)

  const utf16 = Buffer.from(`\uFEFF${attacker}\r\n192.0.2.1\r\n`, 'utf16le')
  for (const bytes of [utf16, Buffer.from(utf16).swap16()]) {
    writeFileSync(join(cwd, 'list.txt'), bytes)
    const { status, stdout } = tidemark(['investigate', '@list.txt'], { cwd })
    assert.equal(status, 0)
    assert.match(stdout, /1 of 2 indicators seen/)
  }
})
