/** Many pages at a time: each asks one question after the other, as people do who click, type and brush. */
import { Agent } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { print, quantile, serve } from './serving.mjs'

const asked = { raw: false, own: [] }
const filters = [
  '',
  'port 22',
  'dst port 443',
  'proto tcp',
  'src net 10.0.0.0/8',
  'bytes > 10k',
  'action reject',
  'not port 53',
]

/** Each draws from the case's own span. */
function questionsOf({ first, last }) {
  const pick = list => list[Math.floor(Math.random() * list.length)]
  const window = () => {
    const from = first + Math.floor(Math.random() * Math.max(1, last - first - 3600))
    return { from, to: from + 3600 }
  }
  return [
    { name: 'case', share: 5, path: '/api/case' },
    { name: 'complete', share: 15, path: '/api/complete', body: () => ({ text: 'src port 2', cursor: 10 }) },
    { name: 'explain', share: 15, path: '/api/explain', body: () => ({ filter: pick(filters), ...asked }) },
    {
      ...{ name: 'rows', share: 15, path: '/api/rows' },
      body: () => ({ filter: pick(filters), ...asked, ...window(), order: 'start', offset: 0, limit: 100 }),
    },
    {
      ...{ name: 'range', share: 50, path: '/api/range' },
      body: () => ({ view: { filter: '', ...asked }, window: window(), order: 'bytes', top: 12, complete: false }),
    },
  ]
}

export async function run(caseDir, { seconds, clients }) {
  const workbench = await serve(caseDir)
  try {
    const { span } = JSON.parse((await workbench.ask('/api/case')).text)
    const first = Date.parse(span.first_start) / 1000
    const questions = questionsOf({ first, last: Date.parse(span.last_end) / 1000 })
    const usable = []
    for (const question of questions) {
      if (await isAnswered(workbench, question)) usable.push(question)
      else print(`${question.name}: nobody answers that yet`)
    }
    const before = new Map(workbench.processes().map(({ pid, cpu }) => [pid, cpu]))
    const { times, errors, busy, health } = await load(workbench, usable, seconds, clients)
    const processes = workbench.processes()
    report(times, seconds, clients)
    print(`errors ${errors.length}${errors.length > 0 ? `: ${errors[0]}` : ''}; told to come again ${busy}`)
    health.sort((a, b) => a - b)
    print(`/health p50 ${ms(quantile(health, 0.5))}, p99 ${ms(quantile(health, 0.99))}, slowest ${ms(health.at(-1))}`)
    for (const { pid, name, peak, rss, cpu } of processes) {
      const own = (cpu - (before.get(pid) ?? 0)).toFixed(1)
      print(`${name.padEnd(12)} ${Math.round(rss)} MiB, at its most ${Math.round(peak)}; CPU ${own} s`)
    }
    print(`together     ${Math.round(processes.reduce((sum, { rss }) => sum + rss, 0))} MiB`)
  } finally {
    await workbench.close()
  }
}

/** Asked once, and again where a job has to be done first; the first question is none that is measured. */
async function isAnswered(workbench, { path, body }) {
  for (let i = 0; i < 600; i++) {
    const { status, text } = await workbench.ask(path, body?.())
    if (status === 404) return false
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    if (!text.startsWith('{"building"')) return true
    await wait(500)
  }
  throw new Error(`${path}: was not ready`)
}

async function load(workbench, questions, seconds, clients) {
  const end = performance.now() + seconds * 1000
  const times = new Map(questions.map(({ name }) => [name, []]))
  const errors = []
  let busy = 0
  const deck = questions.flatMap(question => Array.from({ length: question.share }, () => question))
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (performance.now() < end) {
      const { name, path, body } = deck[Math.floor(Math.random() * deck.length)]
      const start = performance.now()
      try {
        const { status, text } = await workbench.ask(path, body?.(), agent)
        if (status === 200) JSON.parse(text)
        if (status === 503) busy++
        else if (status !== 200) errors.push(`${path}: ${status} ${text.slice(0, 200)}`)
        times.get(name).push(performance.now() - start)
      } catch (error) {
        errors.push(`${path}: ${error.message}`)
      }
    }
    agent.destroy()
  }
  const health = []
  const look = async () => {
    while (performance.now() < end) {
      const start = performance.now()
      await workbench.ask('/health')
      health.push(performance.now() - start)
      await wait(200)
    }
  }
  await Promise.all([look(), ...Array.from({ length: clients }, client)])
  return { times, errors, busy, health }
}

function report(times, seconds, clients) {
  const all = [...times.values()].flat()
  print(
    `${clients} clients for ${seconds} s: ${(all.length / seconds).toFixed(0)} answers a second (bars: p99 2000 ms, no errors; ui 150 MiB, view-child 400 MiB)`,
  )
  for (const [name, own] of [['all', all], ...times]) {
    own.sort((a, b) => a - b)
    if (own.length === 0) continue
    const [half, most] = [quantile(own, 0.5), quantile(own, 0.99)]
    print(
      `${name.padEnd(10)} ${String(own.length).padStart(7)}  p50 ${ms(half)}  p99 ${ms(most)}  slowest ${ms(own.at(-1))}`,
    )
  }
}

function ms(value) {
  return `${Math.round(value)} ms`
}
