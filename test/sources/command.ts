import { type ChildProcess, spawn } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import type { Run } from '../cli/run.ts'
import { cliEntry } from '../repo.ts'
import { canaries } from './stub.ts'

/** The environment without what could lead to AWS, and with secrets that must be in nothing that is written. */
export function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|https?_proxy|all_proxy|TIDEMARK_CASE)/i.test(name),
  )
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...canaries, ...more }
}

/** Starts `tidemark ARGS` against the stub, which this process must be free to play. */
export function start(
  stub: { address: string },
  args: readonly string[],
  more: Record<string, string> = {},
): ChildProcess {
  return spawn(process.execPath, [cliEntry, ...args, '--endpoint', stub.address], { env: environment(more) })
}

export async function run(
  stub: { address: string },
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<Run> {
  return ended(start(stub, args, more))
}

export function ended(child: ChildProcess): Promise<Run> {
  let [stdout, stderr] = ['', '']
  child.stdout!.on('data', (text: Buffer) => {
    stdout += text
  })
  child.stderr!.on('data', (text: Buffer) => {
    stderr += text
  })
  return new Promise(resolve => child.once('close', status => resolve({ status, stdout, stderr })))
}

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'

/** A gzip flow log with a number of records, which no other number gives. */
export function flowLog(number: number, records: number, begin = 1_767_370_800): Buffer {
  const lines = [header]
  for (let i = 0; i < records; i++) {
    const time = begin + (i % 240)
    lines.push(
      `2 123456789012 eni-0a1b2c3d4e5f00001 203.0.113.${number % 250} 10.0.${i >> 8}.${i % 256} ${40000 + (number % 20000)} 443 6 10 ${1000 + number} ${time} ${time + 60} ACCEPT OK`,
    )
  }
  return gzipSync(`${lines.join('\n')}\n`, { level: 1 })
}

/** The key that AWS would give it. */
export function keyOf(
  number: number,
  { account = '123456789012', region = 'eu-central-1', time = '20260102T1620Z' } = {},
): string {
  const day = `${time.slice(0, 4)}/${time.slice(4, 6)}/${time.slice(6, 8)}`
  return `AWSLogs/${account}/vpcflowlogs/${region}/${day}/${account}_vpcflowlogs_${region}_fl-0a1b2c3d4e5f00001_${time}_${number.toString(16).padStart(8, '0')}.log.gz`
}
