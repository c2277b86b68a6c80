// S3: a folder of flow logs read through a server of the same protocol, with and without faults, beside the same folder from the disk;
// and a listing of many keys. What it must stay below: 512 MiB of memory, 1 GiB of spool; 20 s and 300 MiB for 100,000 keys.
//
//   node bench/sources.mjs                            2 million records (bench/flow-logs.mjs makes them), 100,000 keys
//   node bench/sources.mjs --folder DIR --keys 0      another folder
//
// The server is a process of its own, and its time is not counted. It judges nothing.
import { fork, spawn } from 'node:child_process'
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'tidemark-bench', 'records-2000000') },
    keys: { type: 'string', default: '100000' },
    only: { type: 'string', multiple: true },
    serve: { type: 'string' },
  },
})
const print = text => process.stdout.write(`${text}\n`)
const wanted = name => values.only === undefined || values.only.includes(name)
const pageKeys = 1000

if (values.serve !== undefined) serve(values.serve)
else await main()

/** What `--serve` is told: `folder`, `faults` (how many of a hundred requests for an object fail or are cut), or `keys`. */
function serve(kind) {
  const sizes = new Map(kind === 'keys' ? madeKeys(Number(values.keys)) : filesOf(values.folder))
  const keys = [...sizes.keys()].sort()
  let asked = 0
  const server = createServer((request, response) => {
    request.resume()
    const url = new URL(request.url, 'http://stub')
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, '')
    if (key === '') {
      response.setHeader('content-type', 'application/xml')
      return response.end(listing(keys, sizes, url.searchParams))
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const size = sizes.get(key)
    const fault = kind === 'faults' ? ++asked % 10 : 0
    if (fault === 3) {
      response.writeHead(503, { 'content-type': 'application/xml' })
      return response.end('<Error><Code>InternalError</Code><Message>fault</Message></Error>')
    }
    response.writeHead(from > 0 ? 206 : 200, {
      etag: `"${size}"`,
      'content-length': size - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${size - 1}/${size}` }),
    })
    const body = createReadStream(join(values.folder, key), { start: from })
    if (fault === 6) body.once('data', () => setImmediate(() => response.destroy()))
    body.on('error', () => response.destroy())
    body.pipe(response)
    response.on('close', () => body.destroy())
  }).listen(0, '127.0.0.1', () => process.send(server.address().port))
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => path.endsWith('.gz'))
    .map(path => [relative(folder, path), statSync(path).size])
}

/** Keys of four accounts, as AWS would name them. */
function madeKeys(count) {
  return Array.from({ length: count }, (_, i) => {
    const [account, day] = [100000000000 + (i % 4), 1 + (i % 28)]
    const time = `202601${String(day).padStart(2, '0')}T${String((i >> 3) % 24).padStart(2, '0')}00Z`
    const folder = `AWSLogs/${account}/vpcflowlogs/eu-central-1/2026/01/${String(day).padStart(2, '0')}`
    return [
      `${folder}/${account}_vpcflowlogs_eu-central-1_fl-0a1b2c3d4e5f00001_${time}_${i.toString(16).padStart(8, '0')}.log.gz`,
      240_000,
    ]
  })
}

function listing(keys, sizes, query) {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('continuation-token') ?? '']
  const parts = []
  let last = ''
  let at = firstFrom(keys, [prefix, after].sort()[1])
  for (; at < keys.length && keys[at].startsWith(prefix) && parts.length < pageKeys; at++) {
    const key = keys[at]
    if (key === after) continue
    const end = key.indexOf('/', prefix.length)
    const folder = end < 0 ? null : key.slice(0, end + 1)
    if (folder === null)
      parts.push(
        `<Contents><Key>${key}</Key><Size>${sizes.get(key)}</Size><ETag>&quot;${sizes.get(key)}&quot;</ETag></Contents>`,
      )
    else if (!after.startsWith(folder)) parts.push(`<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`)
    if (folder !== null) at = firstFrom(keys, `${folder}\uffff`) - 1
    last = key
  }
  const isTruncated = at < keys.length && keys[at].startsWith(prefix)
  const next = isTruncated ? `<NextContinuationToken>${last}</NextContinuationToken>` : ''
  return `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${parts.join('')}</ListBucketResult>`
}

function firstFrom(keys, text) {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle] < text) low = middle + 1
    else high = middle
  }
  return low
}

/** A server of that kind while something is measured. */
async function withServer(kind, work) {
  const child = fork(fileURLToPath(import.meta.url), [
    '--serve',
    kind,
    '--folder',
    values.folder,
    '--keys',
    values.keys,
  ])
  const port = await new Promise(resolve => child.once('message', resolve))
  try {
    return await work(`http://127.0.0.1:${port}`)
  } finally {
    child.kill()
  }
}

/** Runs Tidemark: seconds, processor time, peak memory, and the most that lay in the spool. */
async function run(args, spool = null) {
  const started = performance.now()
  const timed = `TIMEFORMAT='%U %S'; time "$@"`
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'x'.repeat(20),
    AWS_SECRET_ACCESS_KEY: 'y'.repeat(40),
    AWS_REGION: 'eu-central-1',
  }
  const child = spawn('bash', ['-c', timed, 'bash', process.execPath, 'dist/cli/main.js', ...args], { env })
  const most = { memory: 0, bytes: 0, files: 0 }
  const watch = setInterval(() => look(child.pid, spool, most), 20)
  let [said, printed] = ['', '']
  child.stderr.on('data', piece => (said += piece))
  child.stdout.on('data', piece => (printed += piece))
  const status = await new Promise(resolve => child.once('close', resolve))
  clearInterval(watch)
  if (status !== 0) throw new Error(`status ${status}: ${said}`)
  const [user, system] = said.trim().split('\n').at(-1).split(' ').map(Number)
  return { seconds: (performance.now() - started) / 1000, cpu: user + system, ...most, printed }
}

function look(shell, spool, most) {
  try {
    const pid = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0]
    most.memory = Math.max(
      most.memory,
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024,
    )
  } catch {
    // It has just begun, or ended.
  }
  if (spool === null) return
  try {
    const fetched = readdirSync(spool).filter(name => name.startsWith('fetched-'))
    most.files = Math.max(most.files, fetched.length)
    most.bytes = Math.max(
      most.bytes,
      fetched.reduce((sum, name) => sum + statSync(join(spool, name)).size, 0),
    )
  } catch {
    // One was read meanwhile.
  }
}

function told(name, { seconds, cpu, memory, bytes, files }, more = '') {
  const spool = files === 0 ? '' : `, spool ${files} files and ${(bytes / 2 ** 20).toFixed(1)} MiB`
  print(
    `${name.padEnd(22)} ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of processor, ${memory.toFixed(0)} MiB${spool}${more}`,
  )
}

async function main() {
  const own = mkdtempSync(join(tmpdir(), 'tidemark-bench-sources-'))
  try {
    if (wanted('disk')) told('from the disk', await run(['add', values.folder, '--json', '--case', join(own, 'disk')]))
    for (const kind of ['folder', 'faults']) {
      if (!wanted(kind)) continue
      const folder = join(own, kind)
      const args = ['add', 's3://bucket', '--json', '--case', folder, '--endpoint']
      await withServer(kind, async address => {
        const first = await run([...args, address], join(folder, 'incoming'))
        const { case_records, files } = JSON.parse(first.printed)
        told(
          kind === 'folder' ? 'from S3' : 'from S3, faults',
          first,
          `, ${case_records} records of ${files.length} objects`,
        )
        told('  the same once more', await run([...args, address]))
      })
    }
    if (wanted('keys') && Number(values.keys) > 0)
      await withServer('keys', async address => {
        const listed = await run([
          'add',
          's3://bucket/AWSLogs/',
          '--dry-run',
          '--json',
          '--endpoint',
          address,
          '--case',
          join(own, 'none'),
        ])
        told('listing', listed, `, ${JSON.parse(listed.printed).sources[0].objects} keys`)
      })
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}
