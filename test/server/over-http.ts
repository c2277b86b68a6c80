/** Asks a workbench as its page does. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { JobState } from '../../src/server/contract/events.ts'
import { startWorkbench } from '../../src/server/listen.ts'

export interface Workbench {
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body: unknown): Promise<Answer>
  /** The error of a question that is refused, with its status. */
  refused(path: string): Promise<{ status: number; error: string; hint?: string }>
  /** Whatever is there, as it comes. */
  fetch(path: string): Promise<Response>
  /** What a job that was started makes. */
  value<Answer>(job: JobState): Promise<Answer>
  close(): Promise<void>
}

export async function overHttp(caseDir: string): Promise<Workbench> {
  const workbench = await startWorkbench({ caseDir, port: 0, demo: false })
  const { origin, href } = new URL(workbench.url)
  const entered = await fetch(href, { redirect: 'manual' })
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${origin}${path}`, { ...init, headers: { ...init.headers, cookie } })
  const answerOf = async <Answer>(response: Response): Promise<Answer> => {
    const value: unknown = await response.json()
    assert.equal(response.status, 200, JSON.stringify(value))
    return value as Answer
  }
  const get = async <Answer>(path: string): Promise<Answer> => answerOf<Answer>(await ask(path))
  return {
    get,
    post: async (path, body) =>
      answerOf(
        await ask(path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    refused: async path => {
      const response = await ask(path)
      return { ...((await response.json()) as { error: string }), status: response.status }
    },
    fetch: path => ask(path),
    value: async <Answer>({ id }: JobState): Promise<Answer> => {
      for (;;) {
        const { job, value } = await get<{ job: JobState; value: Answer }>(`/api/job/${id}`)
        if (job.state === 'done') return value
        assert(job.state === 'running' || job.state === 'waiting', JSON.stringify(job))
        await setTimeout(50)
      }
    },
    close: () => workbench.close(),
  }
}
