/** The last reports that were made, to be looked at and to be kept as often as somebody wants to. */
import { randomBytes } from 'node:crypto'
import { createReadStream, rmSync, statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { ReportAnswer, ReportFormat } from './contract/report.ts'

export interface KeptReport {
  paths: Record<ReportFormat, string>
  preview: string
  files: ReportAnswer['files']
}

/** Each is some megabytes on the disk. */
const keptMax = 3

export class Reports {
  private readonly kept = new Map<string, KeptReport>()

  /** Its files go when the report is no longer among the last, and with the folder that they are in. */
  keep(report: KeptReport): string {
    const id = randomBytes(16).toString('base64url')
    this.kept.set(id, report)
    for (const [old, { paths, preview }] of [...this.kept].slice(0, -keptMax)) {
      this.kept.delete(old)
      for (const path of [...Object.values(paths), preview]) rmSync(path, { force: true })
    }
    return id
  }

  get(id: string): KeptReport | null {
    return this.kept.get(id) ?? null
  }
}

/**
 * What a page that shows a report may do: nothing but show it. It stands in a frame of a page of ours, has no origin, and runs no scripts;
 * its own policy allows its one style by its digest.
 */
const previewPolicy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox',
].join('; ')

export async function sendPreview(response: ServerResponse, path: string): Promise<void> {
  response.removeHeader('x-frame-options')
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': statSync(path).size,
    'content-security-policy': previewPolicy,
  })
  await sent(response, path)
}

export async function sent(response: ServerResponse, path: string): Promise<void> {
  await pipeline(createReadStream(path), response).catch((error: unknown) => {
    // Who went away does not want the rest.
    if (!response.destroyed) throw error
  })
}
