import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Why a test of shell commands cannot run here, or false. */
export function missingCommands(...names: string[]): string | false {
  const missing = names.filter(name => {
    try {
      execFileSync('sh', ['-c', `command -v ${name}`])
      return false
    } catch {
      return true
    }
  })
  return missing.length > 0 ? `needs ${missing.join(', ')}` : false
}

/** Runs a shell command in a folder and returns what it printed. */
export function shell(folder: string, command: string): string {
  return execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 }).trim()
}

/** SHA-256 over the names and contents of a folder's files, packed or unpacked. */
export function digest(folder: string, unpack: boolean): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) {
    const content = readFileSync(join(folder, name))
    hash.update(name).update(unpack ? gunzipSync(content) : content)
  }
  return hash.digest('hex')
}

/** Every line of a folder's logs but the headers, as columns, with the name of its file. */
export function* rowsOf(folder: string): Generator<{ name: string; row: string[] }> {
  for (const name of readdirSync(folder).sort()) {
    const lines = gunzipSync(readFileSync(join(folder, name)))
      .toString('latin1')
      .split('\n')
    for (const line of lines.slice(1, -1)) yield { name, row: line.split(' ') }
  }
}

/** What is wrong with a log folder: rows outside their file's five minutes, impossible values, silent windows. */
export function faultsOf(folder: string, sensorWindowOffsets: Map<string, number>): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  let [first, last] = [Number.MAX_SAFE_INTEGER, 0]
  for (const { name, row } of rowsOf(folder)) {
    const fault = (what: string) => faults.push(`${what}: ${name} ${row.join(' ')}`)
    const [bytes, packets, flags, start, end] = row.slice(11, 16).map(Number)
    const [, date, hour, minute] = /_(\d{8})T(\d\d)(\d\d)Z_[0-9a-f]{8}\.log\.gz$/.exec(name) ?? []
    const bin = Date.parse(`${date?.replace(/(....)(..)/, '$1-$2-')}T${hour}:${minute}:00Z`) / 1000
    const offset = sensorWindowOffsets.get(row[4]!) ?? Number.NaN
    const window = Math.floor((end! - offset) / 60)
    seen.add(`${row[4]} ${window}`)
    first = Math.min(first, bin)
    last = Math.max(last, bin + 299)
    if (row.length !== 20) fault('not 20 columns')
    if (end! < bin || end! > bin + 299) fault('in the wrong file')
    if (start! > end! || Math.floor((start! - offset) / 60) !== window) fault('across windows')
    if (row[17] === 'NODATA') continue
    const isTcp = row[10] === '6'
    if (bytes! < packets! * (isTcp ? 40 : 28) || bytes! > packets! * 1500) fault('impossible size')
    if (isTcp ? ![0, 1, 2, 3, 4, 6, 18, 19].includes(flags!) : flags !== 0) fault('impossible flags')
    const path = row[18] === 'ingress' ? '-' : row[7]!.startsWith('10.') ? '1' : '8'
    if (row[19] !== path) fault('wrong traffic path')
  }
  for (const [sensor, offset] of sensorWindowOffsets) {
    for (let window = Math.ceil((first - offset) / 60); (window + 1) * 60 + offset - 1 <= last; window++) {
      if (!seen.has(`${sensor} ${window}`)) faults.push(`no row of ${sensor} in the window at ${window * 60 + offset}`)
    }
  }
  return faults
}
