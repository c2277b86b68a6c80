/** The workbench in a real browser, on a case: what tests of its pages stand on. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axeCore from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { startWorkbench } from '../../src/server/listen.ts'
import { repoRoot } from '../repo.ts'

const executablePath = '/usr/bin/chromium'
/** The reason why there is no browser to test with; false where there is one. */
export const noBrowser = existsSync(executablePath) ? false : `no ${executablePath}`
const args =
  '--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run'
/** Kept, to be looked at. */
const shots = join(repoRoot, 'build', 'ui-screenshots')

export interface Look {
  width?: number
  height?: number
  dark?: boolean
  /** In a browser that has not seen the workbench: it offers its tour. */
  firstRun?: boolean
}

export interface Opened {
  /** `http://127.1.2.3:4567`. */
  origin: string
  /** The link that lets a browser in. */
  url: string
  /**
   * Opens a path in a new browser context, runs work on it, and requires that nothing was said on the console, nothing left this machine, and the
   * page's policy was not offended meanwhile.
   */
  visit(path: string, look: Look, work: (page: Page) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: args.split(' ') })
}

export async function openWorkbench(caseDir: string, { demo = false } = {}): Promise<Opened> {
  const workbench = await startWorkbench({ caseDir, port: 0, demo })
  const browser = await launchBrowser()
  const { origin } = new URL(workbench.url)
  return {
    origin,
    url: workbench.url,
    visit: (path, look, work) => visited(browser, workbench.url, path, look, work),
    close: async () => {
      await browser.close()
      await workbench.close()
    },
  }
}

async function visited(
  browser: Browser,
  url: string,
  path: string,
  { width = 1280, height = 900, dark = false, firstRun = false }: Look,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const { origin } = new URL(url)
    const heard: string[] = []
    page.on('console', message => heard.push(`console: ${message.text()}`))
    page.on('dialog', dialog => heard.push(`dialog: ${dialog.message()}`))
    page.on('pageerror', error => heard.push(`error: ${error.message}`))
    page.on('request', request => {
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:'))
        heard.push(`request: ${request.url()}`)
    })
    if (!firstRun) await page.addInitScript("try { localStorage.setItem('tidemark.tour', 'seen') } catch {}")
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', event => {
        const { violatedDirective, blockedURI } = event as unknown as Record<string, string>
        // As an error, it is heard above.
        queueMicrotask(() => {
          throw new Error(`policy: ${violatedDirective} ${blockedURI}`)
        })
      })
    })
    await page.goto(url)
    if (path !== '/') await page.goto(`${origin}${path}`)
    await work(page)
    assert.deepEqual(heard, [])
  } finally {
    await context.close()
  }
}

/** What axe finds wrong with the page as it is. */
export async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeCore.source)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> }
    }
    const { violations } = await axe.run()
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(node => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    )
  })
}

/** Keeps a picture of the page under build/ui-screenshots. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`) })
}
