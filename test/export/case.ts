/** A small case with everything that exports tell of: guessing, an upload, NAT, rejected, two sensors, IPv6, unknown figures. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportCase } from '../../src/export/export.ts'
import type { ExportOptions, ExportReport } from '../../src/export/formats.ts'
import type { Case } from '../../src/store/case.ts'

export const attacker = '203.0.113.9'
export const victim = '10.0.0.5'
const from = 1_700_000_000

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags pkt-srcaddr pkt-dstaddr flow-direction traffic-path'

interface Line {
  eni?: string
  src: string
  dst: string
  ports: string
  counts: string
  at: number
  action?: string
  flags?: string
  packet?: string
  way: 'ingress' | 'egress'
  path?: string
}

function lineOf({
  eni = 'eni-5',
  src,
  dst,
  ports,
  counts,
  at,
  action = 'ACCEPT',
  flags = '19',
  packet,
  way,
  path = '-',
}: Line): string {
  const times = `${from + at} ${from + at + 8}`
  return `5 123456789012 ${eni} ${src} ${dst} ${ports} 6 ${counts} ${times} ${action} OK ${flags} ${packet ?? `${src} ${dst}`} ${way} ${path}`
}

export function logText(): string {
  const both = (port: number, at: number): string[] => [
    lineOf({ src: attacker, dst: victim, ports: `${port} 22`, counts: '12 2400', at, flags: '3', way: 'ingress' }),
    lineOf({ src: victim, dst: attacker, ports: `22 ${port}`, counts: '11 3300', at, way: 'egress', path: '8' }),
  ]
  return [
    header,
    ...Array.from({ length: 40 }, (_, i) => both(40_000 + i, i * 9)).flat(),
    lineOf({
      src: victim,
      dst: '198.51.100.7',
      ports: '50000 8889',
      counts: '9007199 265000000',
      at: 600,
      flags: '3',
      way: 'egress',
      path: '8',
    }),
    lineOf({ src: '198.51.100.7', dst: victim, ports: '8889 50000', counts: '5000 260000', at: 600, way: 'ingress' }),
    // The same conversation at both of its interfaces.
    ...['eni-5', 'eni-6'].flatMap(eni => [
      lineOf({
        eni,
        src: victim,
        dst: '10.0.0.6',
        ports: '51000 5432',
        counts: '8 4000',
        at: 700,
        flags: '3',
        way: eni === 'eni-5' ? 'egress' : 'ingress',
      }),
      lineOf({
        eni,
        src: '10.0.0.6',
        dst: victim,
        ports: '5432 51000',
        counts: '9 9000',
        at: 700,
        way: eni === 'eni-5' ? 'ingress' : 'egress',
      }),
    ]),
    lineOf({
      src: '192.0.2.77',
      dst: victim,
      ports: '60000 3389',
      counts: '1 40',
      at: 800,
      action: 'REJECT',
      flags: '2',
      way: 'ingress',
    }),
    lineOf({ src: '192.0.2.78', dst: victim, ports: '60001 80', counts: '- -', at: 810, flags: '2', way: 'ingress' }),
    lineOf({
      src: '10.0.9.9',
      dst: victim,
      ports: '60002 80',
      counts: '3 180',
      at: 820,
      flags: '2',
      packet: `192.0.2.79 ${victim}`,
      way: 'ingress',
    }),
    lineOf({
      src: '2001:db8::9',
      dst: '2001:db8:1::5',
      ports: '60003 443',
      counts: '3 240',
      at: 830,
      flags: '2',
      way: 'ingress',
    }),
    '',
  ].join('\n')
}

/** Writes the log under a name that has addresses in it, too. */
export function writeLog(root: string, text = logText()): string {
  const folder = join(root, `of-${victim}`)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'ip-10-0-0-5.log')
  writeFileSync(path, text)
  return path
}

let written = 0

/** What an export writes, and its report. */
export async function exported(
  c: Case,
  root: string,
  options: ExportOptions,
): Promise<{ text: string; report: ExportReport }> {
  const out = join(root, `out-${written++}`)
  const report = await exportCase(c, { ...options, out })
  return { text: readFileSync(out, 'utf8'), report }
}

export function lines(text: string): Record<string, never>[] {
  return text
    .trimEnd()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, never>)
}
