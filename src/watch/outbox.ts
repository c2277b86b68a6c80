/** Alerts on their way: on the disk before anybody is told, and there until every receiver has them. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmall } from '../disk/reading.ts'
import { openOrCreate, removeNode, replaceFile, sync } from '../disk/writing.ts'
import { countFrom, type Fitting, fit, listOf, objectOf, text, textThat } from '../shape.ts'
import type { Alert } from './alert.ts'
import { alertText } from './alert.ts'
import type { Day } from './days.ts'
import { watchNames } from './layout.ts'

const entryShape = objectOf({
  /** Milliseconds since the epoch. */
  made: countFrom(0),
  /** Kinds of receivers that do not have it yet. */
  waiting: listOf(text),
  alert: objectOf({
    id: textThat(one => /^[0-9a-f]{32}$/.test(one), 'not an id'),
    day: textThat(one => /^\d{4}-\d\d-\d\d$/.test(one), 'not a day'),
  }),
})

export interface OutboxEntry {
  id: string
  day: Day
  made: number
  /** What is sent: JSON, one line. */
  text: string
  /** Kinds of receivers that do not have it yet. */
  waiting: Set<string>
}

const entryBytesMax = 1 << 20
const entryName = /^([0-9a-f]{32})\.json$/
const sentName = /^(\d{4}-\d\d-\d\d)\.txt$/
const idLine = /^[0-9a-f]{32}$/gm
const sentBytesMax = 256 << 20

export class Outbox {
  private readonly dir: string
  private readonly entries = new Map<string, OutboxEntry>()
  /** By day: alerts that every receiver has. */
  private readonly sent = new Map<Day, Set<string>>()
  private delivered = 0

  private constructor(dir: string) {
    this.dir = dir
  }

  /**
   * @param kinds of the receivers that there are now: nobody waits for others.
   * @param onStrange told of a file that is no entry, which is left as it is.
   */
  static async open(
    dir: string,
    kinds: readonly string[],
    onStrange: (path: string, why: string) => void,
  ): Promise<Outbox> {
    const outbox = new Outbox(dir)
    for (const name of await readdir(join(dir, watchNames.sent))) {
      const day = sentName.exec(name)?.[1]
      if (day === undefined) continue
      const bytes = readSmall(join(dir, watchNames.sent, name), 'refuse', sentBytesMax)
      outbox.sent.set(day, new Set(bytes.toString('latin1').match(idLine)))
    }
    const found: OutboxEntry[] = []
    for (const name of await readdir(join(dir, watchNames.outbox))) {
      const path = join(dir, watchNames.outbox, name)
      const id = entryName.exec(name)?.[1]
      const read = id === undefined ? { fault: 'not an alert' } : entryOf(readSmall(path, 'refuse', entryBytesMax))
      if ('fault' in read) onStrange(path, read.fault)
      else if (read.id !== id) onStrange(path, 'of another id')
      else found.push(read)
    }
    for (const entry of found.sort((a, b) => a.made - b.made)) {
      for (const kind of entry.waiting) if (!kinds.includes(kind)) entry.waiting.delete(kind)
      outbox.entries.set(entry.id, entry)
      // Who was to have it is told no more, or all had it when the process was killed.
      if (entry.waiting.size === 0 || outbox.isSent(entry.id, entry.day)) await outbox.finish(entry)
    }
    return outbox
  }

  /** Whether an alert of that id was ever put here. */
  has(id: string, day: Day): boolean {
    return this.entries.has(id) || this.isSent(id, day)
  }

  private isSent(id: string, day: Day): boolean {
    return this.sent.get(day)?.has(id) === true
  }

  get waiting(): number {
    return this.entries.size
  }

  get deliveredCount(): number {
    return this.delivered
  }

  /** When the oldest was made, milliseconds since the epoch; null: there is none. */
  get oldest(): number | null {
    const [first] = this.entries.values()
    return first?.made ?? null
  }

  /** How many a receiver does not have yet. */
  countFor(kind: string): number {
    let count = 0
    for (const { waiting } of this.entries.values()) if (waiting.has(kind)) count++
    return count
  }

  /** The oldest that a receiver does not have yet, and that is ready. */
  first(kind: string, isReady: (entry: OutboxEntry) => boolean): OutboxEntry | undefined {
    for (const entry of this.entries.values()) if (entry.waiting.has(kind) && isReady(entry)) return entry
    return undefined
  }

  /** Puts an alert on the disk. After this it is sent, whatever happens. */
  async put(alert: Alert, kinds: readonly string[], now: number): Promise<void> {
    const entry = { id: alert.id, day: alert.day, made: now, text: alertText(alert), waiting: new Set(kinds) }
    await this.write(entry)
    this.entries.set(entry.id, entry)
  }

  /** A receiver has it. */
  async done(entry: OutboxEntry, kind: string): Promise<void> {
    entry.waiting.delete(kind)
    if (entry.waiting.size === 0) {
      await this.finish(entry)
      this.delivered++
    } else await this.write(entry)
  }

  /** Findings that another alert stands for, or that nobody wants. */
  async tell(day: Day, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const path = join(this.dir, watchNames.sent, `${day}.txt`)
    const isNew = !this.sent.has(day)
    const file = await openOrCreate(path)
    try {
      // The first line end closes what a killed writer may have left.
      await file.writeFile(`\n${ids.join('\n')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    if (isNew) await sync(join(this.dir, watchNames.sent))
    const known = this.sent.get(day) ?? new Set()
    for (const id of ids) known.add(id)
    this.sent.set(day, known)
  }

  private async finish(entry: OutboxEntry): Promise<void> {
    if (!this.isSent(entry.id, entry.day)) await this.tell(entry.day, [entry.id])
    await removeNode(this.pathOf(entry.id))
    this.entries.delete(entry.id)
  }

  private async write({ made, waiting, text }: OutboxEntry): Promise<void> {
    const id = /"id":"([0-9a-f]{32})"/.exec(text)![1]!
    const head = JSON.stringify({ made, waiting: [...waiting] }).slice(0, -1)
    await replaceFile(this.pathOf(id), `${head},"alert":${text}}\n`)
  }

  private pathOf(id: string): string {
    return join(this.dir, watchNames.outbox, `${id}.json`)
  }

  /** Forgets alerts of days before one. @returns how many of them nobody has got. */
  async forget(before: Day): Promise<number> {
    for (const day of [...this.sent.keys()].filter(one => one < before)) {
      await removeNode(join(this.dir, watchNames.sent, `${day}.txt`))
      this.sent.delete(day)
    }
    const old = [...this.entries.values()].filter(({ day }) => day < before)
    for (const { id } of old) {
      await removeNode(this.pathOf(id))
      this.entries.delete(id)
    }
    return old.length
  }
}

type Read = OutboxEntry | { fault: string }

function entryOf(bytes: Buffer): Read {
  const line = bytes.toString()
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { fault: 'not JSON' }
  }
  const { value: read, fault } = fit(entryShape, value)
  if (read === null) return { fault }
  const { id, day } = (read as Fitting<typeof entryShape>).alert
  const text = line
    .slice(line.indexOf(',"alert":') + ',"alert":'.length)
    .trimEnd()
    .slice(0, -1)
  return { id, day, made: read.made, text, waiting: new Set(read.waiting) }
}
