/**
 * A process that takes a case's lock again and again: `lock-driver.js CASE TIMES`. While it has the lock it writes its number
 * to `owner`, which must still be there when it gives the case free. Half of the time it leaves the lock of a dead process behind.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../../src/errors.ts'
import { lockForWriting } from '../../src/store/lock.ts'

const [dir = '', times = '0'] = process.argv.slice(2)
const lock = join(dir, 'write.lock')
const owner = join(dir, 'owner')
const counts = { taken: 0, refused: 0, violated: 0 }
while (counts.taken + counts.refused < Number(times)) {
  try {
    const release = await lockForWriting(dir, 'race')
    const mine = `${process.pid} ${counts.taken++}`
    writeFileSync(owner, mine)
    await new Promise(resolve => setTimeout(resolve, Math.random() * 3))
    const held = JSON.parse(readFileSync(lock, 'utf8')) as { pid: number }
    if (readFileSync(owner, 'utf8') !== mine || held.pid !== process.pid) counts.violated++
    if (Math.random() < 0.5) await release()
    else {
      const dead = { pid: process.pid, host: hostname(), born: '1', since: 'then', doing: `died ${mine}` }
      writeFileSync(`${lock}.dead.${process.pid}`, JSON.stringify(dead))
      renameSync(`${lock}.dead.${process.pid}`, lock)
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    counts.refused++
    await new Promise(resolve => setTimeout(resolve, Math.random() * 3))
  }
}
process.stdout.write(JSON.stringify(counts))
