/** Starts what the routes work with. */
import { fileURLToPath } from 'node:url'
import { clearSpill } from '../store/spill.ts'
import { CaseState } from './case-state.ts'
import { Downloads } from './downloads.ts'
import { EventStream } from './events.ts'
import { Jobs } from './jobs.ts'
import { KeptLists } from './kept-lists.ts'
import { Pool, type PoolSettings } from './pool.ts'
import { Reports } from './reports.ts'
import type { Services } from './services.ts'
import { SqlSessions } from './sql.ts'

interface Given {
  caseDir: string
  demo: boolean
  internal: readonly string[]
  onNote(text: string): void
}

/** For threads, DuckDB and what lies outside of V8's heap. */
const spareMegabytes = 8192

export function startServices({ caseDir, demo, internal, onNote }: Given): Services {
  const events = new EventStream()
  const state = new CaseState(caseDir, head => {
    // Where there was no case, nobody looks at another state of it.
    if (state.loaded === null) void reload()
    else events.send({ event: 'case-changed', head, loaded: false })
  })
  const args = (): string[] => [caseDir, state.loaded ?? '']
  const settings = (name: string, script: string): Omit<PoolSettings, 'processes' | 'atOnce' | 'stopSeconds'> => ({
    ...{ name, args, spareMegabytes, onNote, heapMegabytes: 2048, waitingMax: 200 },
    script: fileURLToPath(new URL(script, import.meta.url)),
    onClosed: pid => void clearSpill(caseDir, pid).catch(() => undefined),
    onDeath: (why, stopped) => {
      onNote(`the ${name} process died: ${why}`)
      events.send({ event: 'child-died', child: name, why, stopped })
    },
  })
  const [work, view, adding, checking] = [
    new Pool({ ...settings('work', './work-child.js'), processes: 2, atOnce: 8, stopSeconds: [0.6, 10] }),
    // Its work is short, and what it holds takes a while to read again.
    new Pool({ ...settings('view', './view-child.js'), processes: 1, atOnce: 8, stopSeconds: [10, 20] }),
    new Pool({
      ...settings('add', './add-child.js'),
      processes: 1,
      atOnce: 20,
      stopSeconds: [60, 60],
      heapMegabytes: 4096,
    }),
    // Apart from what adds: a check that does not stop is ended with its process.
    new Pool({
      ...settings('check', './add-child.js'),
      processes: 1,
      atOnce: 2,
      stopSeconds: [10, 10],
      heapMegabytes: 4096,
    }),
  ]
  const sql = new SqlSessions(caseDir, () => state.loaded)
  const reload = async (): Promise<void> => {
    state.load()
    const why = 'newer records of the case were loaded meanwhile'
    await Promise.all([work.restart(why), view.restart(why), sql.restart()])
    events.send({ event: 'case-changed', head: state.loaded, loaded: true })
  }
  const change = <T>(work: () => Promise<T>): Promise<T> =>
    state.whileItChanges(async () => {
      try {
        return await work()
      } finally {
        if (state.newer() !== null) await reload()
      }
    })
  const jobs = new Jobs(events, onNote)
  return {
    ...{ caseDir, demo, internal, state, work, view, adding, checking, sql, jobs, events, reload, change },
    ...{ downloads: new Downloads(), lists: new KeptLists(), reports: new Reports() },
  }
}

/** Jobs end in good order first: what was added completely stays. */
export async function closeServices({ state, jobs, events, downloads, lists, sql, ...pools }: Services): Promise<void> {
  state.close()
  await jobs.stopAll()
  events.close()
  const { work, view, adding, checking } = pools
  await Promise.all([...[work, view, adding, checking].map(pool => pool.close()), sql.close()])
  // Nobody writes into their folder any more.
  downloads.close()
  lists.close()
}
