// How long it takes from a move of the brush until all panels of the overview are painted, in a real browser; what a window costs the
// process that answers it; and the same windows by plain questions.
// A part of bench/workbench.mjs.
import { readdirSync, readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { queryFlows } from '../../dist/flows/run.js'
import { startWorkbench } from '../../dist/server/listen.js'
import { openCase } from '../../dist/store/case.js'
import { requestsOf } from '../../dist/timeline/requests.js'

const args =
  '--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run'
const plainWindows = 3
/** The panel of ports by number, as long as nothing was judged. */
const path = '/?_services=ports'
const print = text => process.stdout.write(`${text}\n`)

/** The value that a share of the values does not exceed. */
function share(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
}

const shown = values => `p50 ${share(values, 0.5).toFixed(0)} ms, p95 ${share(values, 0.95).toFixed(0)} ms`

/** Milliseconds of a processor that the process with a script has used, and its memory. */
function used(script) {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      if (!words.some(word => word.endsWith(script))) continue
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      if (Number(fields[1]) !== process.pid) continue
      const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
      return { cpu: (Number(fields[11]) + Number(fields[12])) * 10, rss: Math.round(Number(rss?.[1] ?? 0) / 1024) }
    } catch {
      // It ended meanwhile.
    }
  }
  return { cpu: Number.NaN, rss: Number.NaN }
}

/** In the page: when what the panels show is of what is brushed, after it was painted. */
function watchPanels() {
  const painted = act => requestAnimationFrame(() => setTimeout(act, 0))
  const isCurrent = () => {
    const panels = document.querySelector('.panels')
    const layer = document.querySelector('.brush-layer')
    return panels !== null && layer !== null && panels.dataset.window === layer.dataset.window
  }
  window.whenPainted = since =>
    new Promise(resolve => {
      const look = () => (isCurrent() ? painted(() => resolve(performance.now() - since)) : requestAnimationFrame(look))
      requestAnimationFrame(look)
    })
  addEventListener('pointermove', ({ timeStamp }) => (window.movedAt = timeStamp), { capture: true })
}

async function opened(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(900_000)
  await page.addInitScript(() => localStorage.setItem('tidemark.tour', 'seen'))
  await page.addInitScript(watchPanels)
  return { context, page: await gone(page, `${url}`) }
}

async function gone(page, url) {
  await page.goto(url)
  await page.goto(new URL(path, url).href)
  await page.waitForSelector('.panels')
  await page.waitForSelector('.brush-layer')
  return page
}

/** Milliseconds from the start of the page until its totals, and until all of it is there. */
async function firstPaint(page, origin) {
  await page.goto(origin + path, { waitUntil: 'commit' })
  const totals = await page.evaluate(
    () =>
      new Promise(resolve => {
        const look = () => {
          const bold = document.querySelector('.totals b')
          if (bold !== null && bold.textContent !== '…') setTimeout(() => resolve(performance.now()), 0)
          else requestAnimationFrame(look)
        }
        look()
      }),
  )
  await page.waitForSelector('.brush-layer')
  return { totals, all: await page.evaluate(() => window.whenPainted(0)) }
}

/** A window of a sixth of what is shown, dragged to random places. */
async function movesOf(page, count) {
  const box = await page.locator('.brush-layer').boundingBox()
  const y = box.y + box.height / 2
  const at = part => box.x + part * box.width
  await page.mouse.move(at(0.4), y)
  await page.mouse.down()
  await page.mouse.move(at(0.5), y, { steps: 4 })
  await page.mouse.move(at(0.4 + 1 / 6), y, { steps: 4 })
  await page.mouse.up()
  await page.evaluate(() => window.whenPainted(performance.now()))
  await page.mouse.move(at(0.45), y)
  await page.mouse.down()
  const times = []
  const windows = []
  const before = used('view-child.js')
  for (let i = 0; i < count; i++) {
    const was = await page.locator('.brush-layer').getAttribute('data-window')
    let now = was
    while (now === was) {
      await page.mouse.move(at(0.02 + 0.9 * Math.random()), y)
      now = await page.evaluate(
        () =>
          new Promise(resolve =>
            requestAnimationFrame(() => resolve(document.querySelector('.brush-layer').dataset.window)),
          ),
      )
    }
    times.push(await page.evaluate(() => window.whenPainted(window.movedAt)))
    windows.push(now)
  }
  const after = used('view-child.js')
  await page.mouse.up()
  return {
    times,
    windows: windows.map(text => text.split('-').map(Number)),
    cpu: (after.cpu - before.cpu) / count,
    rss: after.rss,
  }
}

/** From a click on the first value of a panel until totals and panels are of the narrower filter; NaN where they never were. */
async function clickOf(page, panel) {
  const link = page.locator(`[aria-labelledby=panel-${panel}] tbody a`).first()
  await link.focus()
  const before = await page.locator('.totals b').first().textContent()
  await page.evaluate(() => (window.pressedAt = performance.now()))
  await page.keyboard.press('f')
  const time = await page.evaluate(
    text =>
      new Promise(resolve => {
        const late = performance.now() + 120_000
        const look = () => {
          const shown = document.querySelector('.totals b').textContent
          const isNew = shown !== text && shown !== '…'
          if (performance.now() > late) return resolve(Number.NaN)
          // Totals and panels are of one answer. What else the page asks for, as findings and coverage, is not of the filter alone.
          if (isNew) requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - window.pressedAt), 0))
          else requestAnimationFrame(look)
        }
        look()
      }),
    before,
  )
  await page.goBack()
  await page.waitForTimeout(500)
  return time
}

/** The questions of `tidemark flows` that have the same figures, of some windows. */
async function plainly(caseDir, windows) {
  const c = await openCase(caseDir)
  const times = []
  for (const [from_s, to_s] of windows) {
    const { totals, hosts, ports, sensors, actions, protocols } = requestsOf({}, { from_s, to_s }, 'bytes', 12)
    const cpu = process.cpuUsage()
    const begin = performance.now()
    for (const request of [totals, hosts, ports, sensors, actions, protocols]) {
      const { rows } = await queryFlows(c, request)
      for await (const _ of rows());
    }
    const { user, system } = process.cpuUsage(cpu)
    times.push({ wall: performance.now() - begin, cpu: (user + system) / 1000 })
  }
  await c.close()
  return times
}

export async function run(caseDir, { moves }) {
  const workbench = await startWorkbench({ caseDir, port: 0, demo: false })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: args.split(' ') })
  const { origin } = new URL(workbench.url)
  try {
    const begin = performance.now()
    const { page } = await opened(browser, workbench.url)
    print(`first page of a workbench that has just started: ${(performance.now() - begin).toFixed(0)} ms`)
    const first = await firstPaint(page, origin)
    print(`first paint: totals ${first.totals.toFixed(0)} ms, all ${first.all.toFixed(0)} ms (bars: 500, 2000)`)
    const { times, windows, cpu, rss } = await movesOf(page, moves)
    print(`brush to all panels painted, ${moves} moves: ${shown(times)} (bar: p95 100 ms)`)
    print(
      `view process: ${cpu.toFixed(1)} ms CPU a window, ${rss} MiB (bars at 20 million records: p95 20 ms, 400 MiB)`,
    )
    for (const panel of ['hosts', 'ports', 'sensors', 'actions']) {
      print(
        `only this of ${panel}: ${(await clickOf(page, panel)).toFixed(0)} ms (bar at 20 million: 500 ms and one pass over the records)`,
      )
    }
    const plain = await plainly(caseDir, windows.slice(0, plainWindows))
    const wall = share(
      plain.map(one => one.wall),
      0.5,
    )
    const own = share(
      plain.map(one => one.cpu),
      0.5,
    )
    print(`plain questions for one window: ${wall.toFixed(0)} ms, ${own.toFixed(0)} ms CPU`)
    print(`ratio: ${(wall / share(times, 0.5)).toFixed(0)} in time, ${(own / cpu).toFixed(0)} in CPU`)
  } finally {
    await browser.close()
    await workbench.close()
  }
}
