import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createServer as createTls } from 'node:tls'
import { program } from '../../src/watch/receivers/exec.ts'
import { DeliveryError } from '../../src/watch/receivers/receiver.ts'
import { syslog, syslogAddress, syslogMessage } from '../../src/watch/receivers/syslog.ts'
import { signatureOf, webhook, webhookAddress } from '../../src/watch/receivers/webhook.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { skipWithout } from '../repo.ts'
import { listen } from './support.ts'

const never = new AbortController().signal
const alert = {
  id: 'ab'.repeat(16),
  text: JSON.stringify({ id: 'ab'.repeat(16), rule: 'D02"]\\', severity: 'high', day: '2026-03-05' }),
}
const canary = 'canary-7f3a9b'

test('a webhook gets JSON with a signature that is checked in three lines', async t => {
  const { url, heard } = await listen(t)
  await webhook(new URL(url), canary).send(alert, never)
  const [{ body, headers }] = heard as [(typeof heard)[number]]
  assert.equal(body, alert.text)
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['tidemark-alert-id'], alert.id)
  const seconds = headers['tidemark-timestamp']
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 60)
  const wanted = createHmac('sha256', canary).update(`${seconds}.${body}`).digest('hex')
  assert.equal(headers['tidemark-signature'], `v1=${wanted}`)
  assert.equal(signatureOf(canary, Number(seconds), body), `v1=${wanted}`)
  await webhook(new URL(url), null).send(alert, never)
  assert.equal(heard[1]!.headers['tidemark-signature'], undefined)
})

test('what a webhook answers decides: again later, not this one, or never without an end', async t => {
  const listener = await listen(t)
  const sent = (): Promise<void> =>
    webhook(new URL(`${listener.url}/${canary}`), canary, { timeout: 200 }).send(alert, never)
  for (const [status, isRefused] of [
    [500, false],
    [404, false],
    [429, false],
    [400, true],
    [413, true],
    [302, false],
    [0, false],
    [null, false],
  ] as const) {
    listener.answer = () => status
    await assert.rejects(sent, (error: unknown) => {
      assert.ok(error instanceof DeliveryError, String(error))
      assert.equal(error.isRefused, isRefused, String(status))
      assert.ok(!`${error.message}${error.stack}`.includes(canary), error.message)
      return true
    })
  }
  const stop = new AbortController()
  listener.answer = () => {
    stop.abort(new Error('stopped'))
    return null
  }
  await assert.rejects(webhook(new URL(listener.url), null).send(alert, stop.signal), /^Error: stopped$/)
})

test('an address of a webhook that cannot be meant is refused, and not repeated', () => {
  for (const text of [
    `ftp://${canary}/`,
    canary,
    `https://user:${canary}@example.com/`,
    `https://${canary}@example.com/`,
  ])
    assert.throws(
      () => webhookAddress(text),
      (error: Error) => !error.message.includes(canary),
    )
})

/** A receiver of syslog. @param answer what it does when the other end has finished; without it the connection is ended in good order. */
async function receive(t: TestContext, answer?: (socket: Socket) => void, secure?: { key: Buffer; cert: Buffer }) {
  const got = { text: '' }
  const take = (socket: Socket): void => {
    socket.on('error', () => undefined)
    socket.on('data', piece => (got.text += piece))
    socket.on('end', () => (answer === undefined ? socket.end() : answer(socket)))
  }
  const server = secure === undefined ? createTcp({ allowHalfOpen: true }, take) : createTls(secure, take)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { got, port: (server.address() as AddressInfo).port }
}

test('syslog gets one message of RFC 5424, after its length', async t => {
  const { got, port } = await receive(t)
  await syslog(syslogAddress(`tcp://127.0.0.1:${port}`)).send(alert, never)
  const [, length, message] = /^(\d+) (.*)$/s.exec(got.text)!
  assert.equal(Buffer.byteLength(message!), Number(length))
  const head = /^<130>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ tidemark \d+ alert /
  assert.match(message!, head)
  const rest = message!.replace(head, '')
  const data = `[tidemark@32473 id="${alert.id}" rule="D02\\"\\]\\\\" severity="high" day="2026-03-05"] `
  assert.ok(rest.startsWith(data), rest)
  assert.equal(rest.slice(data.length), alert.text)
  assert.match(
    syslogMessage(alert.text, 0, 'höst name\n', 7),
    /^<130>1 1970-01-01T00:00:00\.000Z hstname tidemark 7 alert /,
  )
})

test('syslog that keeps the connection open, ends it with an error, or is not there, does not have the alert', async t => {
  const open = await receive(t, () => undefined)
  await assert.rejects(
    syslog(syslogAddress(`tcp://127.0.0.1:${open.port}`), { timeout: 150 }).send(alert, never),
    /no answer in 0\.15 s/,
  )
  const reset = await receive(t, socket => socket.resetAndDestroy())
  await assert.rejects(syslog(syslogAddress(`tcp://127.0.0.1:${reset.port}`)).send(alert, never), DeliveryError)
  await assert.rejects(syslog(syslogAddress('tcp://127.0.0.1:1')).send(alert, never), /ECONNREFUSED/)
})

test('syslog over TLS goes to whom the certificate names, and to nobody else', skipWithout('openssl'), async t => {
  const folder = temporaryFolder(t)
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=tidemark-test', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  )
  const { got, port } = await receive(t, undefined, { key: readFileSync(key), cert: readFileSync(cert) })
  await assert.rejects(syslog(syslogAddress(`tls://127.0.0.1:${port}`)).send(alert, never), /SELF_SIGNED/)
  assert.equal(got.text, '')
  // The certificate is known to a process that is told of it.
  const script = `const { syslog, syslogAddress } = await import(${JSON.stringify(new URL('../../src/watch/receivers/syslog.js', import.meta.url).href)})
    await syslog(syslogAddress('tls://127.0.0.1:${port}')).send(${JSON.stringify(alert)}, new AbortController().signal)`
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
  })
  let said = ''
  child.stderr.on('data', piece => (said += piece))
  const status = await new Promise(resolve => child.on('close', resolve))
  assert.equal(status, 0, said)
  assert.ok(got.text.endsWith(alert.text))
})

test('addresses of syslog', () => {
  assert.deepEqual(syslogAddress('tls://[2001:db8::1]'), { secure: true, host: '2001:db8::1', port: 6514 })
  assert.deepEqual(syslogAddress('tcp://logs.example.com'), { secure: false, host: 'logs.example.com', port: 601 })
  for (const text of ['udp://a:1', 'logs:514', 'tcp://a:0', 'tcp://a:70000', 'tcp://u:p@a:1', 'tls://a/b'])
    assert.throws(() => syslogAddress(text), /not an address of syslog/)
})

function script(t: TestContext, text: string): { path: string; folder: string } {
  const folder = temporaryFolder(t)
  const path = join(folder, 'told; echo $(id)')
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return { path, folder }
}

test('a program gets the alert on standard input, without a shell and without the environment’s secrets', async t => {
  const { path, folder } = script(
    t,
    `cat > "$(dirname "$0")/got"; env > "$(dirname "$0")/env"; echo "$#" > "$(dirname "$0")/args"`,
  )
  process.env['TIDEMARK_WEBHOOK_SECRET'] = canary
  t.after(() => delete process.env['TIDEMARK_WEBHOOK_SECRET'])
  await program(path).send(alert, never)
  assert.equal(readFileSync(join(folder, 'got'), 'utf8'), `${alert.text}\n`)
  assert.ok(!readFileSync(join(folder, 'env'), 'utf8').includes(canary))
  assert.equal(readFileSync(join(folder, 'args'), 'utf8'), '0\n')
})

test('a program that fails, hangs or is gone does not have the alert; what it started ends with it', async t => {
  const failing = script(t, 'echo "no route" >&2; exit 3')
  await assert.rejects(program(failing.path).send(alert, never), /it ended with status 3: no route/)
  const deaf = script(t, 'exit 0')
  await program(deaf.path).send({ ...alert, text: 'x'.repeat(1 << 20) }, never)
  const hanging = script(t, `(sleep 2; touch "$(dirname "$0")/late") & wait`)
  await assert.rejects(program(hanging.path, { timeout: 200 }).send(alert, never), /no answer in 0\.2 s/)
  await wait(2300)
  assert.ok(!existsSync(join(hanging.folder, 'late')))
  await assert.rejects(program('/no/such/program').send(alert, never), /ENOENT/)
})

test('receivers that cannot be meant are refused before anything is read, and no secret is repeated', t => {
  const folder = temporaryFolder(t)
  const secret = join(folder, 'secret')
  writeFileSync(secret, `${canary}\nanother`)
  const wrong: [string[], RegExp][] = [
    [['--webhook', `https://user:${canary}@example.com`], /holds a user or a password/],
    [['--webhook', `@${join(folder, 'none')}`], /no such file/],
    [['--webhook', `@${secret}`], /not one line/],
    [['--webhook-secret-file', secret], /needs --webhook/],
    [['--syslog', 'udp://127.0.0.1:514'], /not an address of syslog/],
    [['--exec', join(folder, 'none')], /no such program/],
    [['--exec', secret], /not a program/],
    [['--exec', folder], /not a program/],
    [['--keep', '12h'], /less than a day/],
    [['--case', 'x'], /does not go with watch/],
  ]
  for (const [args, what] of wrong) {
    const run = tidemark(['watch', folder, '--out', join(folder, 'out'), '--once', ...args], { cwd: folder })
    assert.equal(run.status, 2, run.stderr)
    assert.match(run.stderr, what)
    assert.ok(!run.stderr.includes(canary), run.stderr)
  }
  assert.ok(!existsSync(join(folder, 'out')))
})
