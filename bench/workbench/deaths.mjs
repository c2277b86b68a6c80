/** How long the workbench is without a process that was killed, and whether others notice. */
import { setTimeout as wait } from 'node:timers/promises'
import { print, serve } from './serving.mjs'

export async function run(caseDir) {
  const workbench = await serve(caseDir)
  try {
    await workbench.ask('/api/case')
    for (const name of ['work-child', 'view-child']) {
      const times = []
      for (let i = 0; i < 3; i++) {
        const pids = new Set(
          workbench
            .processes()
            .filter(one => one.name === name)
            .map(({ pid }) => pid),
        )
        for (const pid of pids) process.kill(pid, 'SIGKILL')
        const start = performance.now()
        // Of the process for the view: until it is there, for whatever it is asked.
        if (name === 'work-child') await workbench.ask('/api/explain', { filter: 'port 22', raw: false, own: [] })
        else while (!workbench.processes().some(one => one.name === name && !pids.has(one.pid))) await wait(5)
        times.push(Math.round(performance.now() - start))
        await wait(20_000)
      }
      print(`${name}: all killed, back after ${times.join(', ')} ms`)
    }
  } finally {
    await workbench.close()
  }
}
