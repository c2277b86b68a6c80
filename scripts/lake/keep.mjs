// Keeps a cluster for tests running: Trino with two workers, and moto's server, on loopback.
//
//   node scripts/lake/keep.mjs                 until Ctrl-C, SIGTERM or SIGHUP; prints where it is as one line of JSON
//   node scripts/lake/keep.mjs --for 3600      at most that many seconds
//   node scripts/lake/keep.mjs --with-stdin    until its standard input ends: so it ends with who started it
//   node scripts/lake/keep.mjs --workers 1     other numbers of workers; 0: the coordinator works
//   node scripts/lake/keep.mjs --full-speed    with Java's second compiler, for measurements (starts slower)
//   node scripts/lake/keep.mjs --cores '0,1;0;1'  cores of the coordinator and of each worker
//   node scripts/lake/keep.mjs --only moto     or trino
//   node scripts/lake/keep.mjs --fetch         only fetches what is not in the cache yet
//   node scripts/lake/keep.mjs --set-up-within 200   what is not fetched and started after that many seconds counts as missing
//
// Where something is missing, what is printed says what and why, and the rest runs.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cluster, credentials, region } from './cluster.mjs'
import { fetching, findJava, findMoto, findTrino, Missing } from './tools.mjs'

const { values } = parseArgs({
  options: {
    for: { type: 'string' },
    'with-stdin': { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
    'full-speed': { type: 'boolean', default: false },
    cores: { type: 'string' },
    only: { type: 'string' },
    fetch: { type: 'boolean', default: false },
    'set-up-within': { type: 'string' },
  },
})
const say = text => process.stderr.write(`lake: ${text}\n`)
const prefix = 'tidemark-lake-'
/** Milliseconds for everything before the first test; null: as long as it takes. */
const setUpMax = values['set-up-within'] === undefined ? null : Number(values['set-up-within']) * 1000
const begun = Date.now()
let cluster = null
let folder = null
let isStopping = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0, false))
process.on('uncaughtException', error => void fail(error))
process.on('unhandledRejection', error => void fail(error))
if (values['with-stdin']) {
  process.stdin.resume()
  process.stdin.on('data', text => String(text).includes('stop') && void stop(0, true))
  process.stdin.on('end', () => void stop(0, false))
}

const finding = findTools()
const { tools, missing } = await finding
if (values.fetch) process.exit(0)
removeLeftFolders()
folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
cluster = new Cluster({
  ...{ tools, folder, workers: Number(values.workers), isQuick: !values['full-speed'] },
  // Who has little time has none to keep what makes the next start quicker.
  keepsClasses: setUpMax === null,
  cores: values.cores === undefined ? [] : values.cores.split(';'),
})
await start()
const control = await startControl()
const { trino, moto, lake } = cluster
if (values.for !== undefined) setTimeout(() => void stop(0, true), Number(values.for) * 1000)
process.stdout.write(`${JSON.stringify({ trino, moto, lake, control, region, credentials, missing })}\n`)

async function start() {
  const startBegun = Date.now()
  try {
    await inTime(cluster.start())
    say(`started in ${seconds(startBegun)} s, ${seconds(begun)} s after the beginning`)
  } catch (error) {
    if (setUpMax === null) throw error
    await cluster.stop(false)
    for (const name of ['trino', 'moto']) {
      if (cluster[name] === undefined) continue
      cluster[name] = undefined
      missing[name] = `the cluster did not start: ${error.message}`
    }
    say(`the cluster did not start: ${error.message}`)
  }
}

/** @throws Error where the time is over first */
function inTime(work) {
  if (setUpMax === null) return work
  const left = Math.max(0, begun + setUpMax - Date.now())
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`more than ${setUpMax / 1000} s went by`)), left).unref()
  })
  return Promise.race([work, late])
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(0)
}

/** Those of keepers that were killed. */
function removeLeftFolders() {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) && /^(\d+)-/.exec(name.slice(prefix.length))?.[1]
    if (!pid || isRunning(Number(pid))) continue
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
    } catch (error) {
      say(`${name} is left: ${error.message}`)
    }
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

async function findTools() {
  let isLate = false
  const late = () => {
    isLate = true
    fetching.abort()
  }
  const timer = setUpMax === null ? undefined : setTimeout(late, setUpMax)
  const found = {}
  const lacking = {}
  const find = async (name, one) => {
    if (values.only !== undefined && values.only !== name) return
    try {
      await one()
    } catch (error) {
      if (!(error instanceof Missing) && !isLate) throw error
      lacking[name] = isLate ? `it was not fetched in ${setUpMax / 1000} s` : error.message
      say(`no ${name}: ${lacking[name]}`)
    }
  }
  await Promise.all([
    find('trino', async () => {
      const { java, version } = await findJava()
      found.trino = await findTrino(say)
      found.java = java
      found.javaVersion = version
    }),
    find('moto', async () => {
      found.python = await findMoto(say)
    }),
  ])
  clearTimeout(timer)
  return { tools: found, missing: lacking }
}

/** Lets tests take a node away and bring it back: POST /kill/worker-1, /start/worker-1, both answered when it is done. */
async function startControl() {
  const server = createServer(async (request, response) => {
    const [, verb, name] = (request.url ?? '').split('/')
    try {
      if (request.method !== 'POST' || !cluster.ports?.has(name)) throw new Error(`unknown: ${request.url}`)
      if (verb === 'kill') await cluster.kill(name)
      else if (verb === 'start') await cluster.startNode(name).then(() => cluster.untilComplete())
      else throw new Error(`unknown: ${verb}`)
      response.end('done\n')
    } catch (error) {
      response.writeHead(500).end(`${error.message}\n`)
    }
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}

async function stop(status, isOrderly) {
  if (isStopping) return
  isStopping = true
  fetching.abort()
  await finding.catch(() => {})
  await cluster?.stop(isOrderly)
  if (folder !== null) rmSync(folder, { recursive: true, force: true })
  process.exit(status)
}

function fail(error) {
  say(error.stack ?? String(error))
  return stop(1, false)
}
