// Loaded into each test process by scripts/test.mjs: notes the CPU seconds that it and the processes it has waited for have taken.
import { appendFileSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const list = process.env.TIDEMARK_TEST_CPU
if (isMainThread && list !== undefined && process.env.NODE_TEST_CONTEXT !== undefined) {
  process.on('exit', () => appendFileSync(list, `${JSON.stringify({ file: process.argv[1], seconds: seconds() })}\n`))
}

function seconds() {
  try {
    // proc(5): utime, stime, cutime, cstime in hundredths of a second, after the name in brackets.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0) / 100
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
}
