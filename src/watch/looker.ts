/** Looks for findings in the days to which something was added, and puts an alert of each into the outbox, once. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { errorText, UserError } from '../errors.ts'
import { countText } from '../net/counts.ts'
import { utcSeconds } from '../net/time.ts'
import { severities } from '../rules/finding.ts'
import { headOf } from '../store/ledger.ts'
import type { Alert, AlertDraft } from './alert.ts'
import { type Day, type HeldDay, type Window, windowsOf } from './days.ts'
import { type Detecting, haveDone } from './jobs.ts'
import { caseOfDay, watchNames } from './layout.ts'
import type { Outbox } from './outbox.ts'
import type { LookedDays } from './state.ts'

export interface LookerSettings {
  dir: string
  detecting: Detecting
  /** Kinds of the receivers. */
  kinds: readonly string[]
  /** Alerts of one look at most; one more stands for the rest. */
  most: number
  /** The command that shows a host's dossier. */
  commandOf(host: string, caseDir: string): string
  now(): number
  onNote(text: string): void
  onAlert(alert: Alert): void
}

export interface LastLook {
  at: string
  from: string
  to: string
  seconds: number
  connections: number
  /** Findings that are severe enough, and those of them that nobody was told of before. */
  findings: number
  new_alerts: number
}

const firstWait = 10_000
const longestWait = 1_800_000

export class Looker {
  private readonly outbox: Outbox
  private readonly looked: LookedDays
  private readonly days: ReadonlyMap<Day, HeldDay>
  private readonly settings: LookerSettings
  private failures = 0
  private notBefore = 0
  last: LastLook | null = null
  alerts = 0

  constructor(outbox: Outbox, looked: LookedDays, days: ReadonlyMap<Day, HeldDay>, settings: LookerSettings) {
    this.outbox = outbox
    this.looked = looked
    this.days = days
    this.settings = settings
  }

  /** Days to which something was added since they were looked at, and the last entries of their ledgers. */
  changed(): Map<Day, string> {
    const found = new Map<Day, string>()
    for (const day of this.days.keys()) {
      const head = headOf(caseOfDay(this.settings.dir, day))
      if (head !== null && head !== this.looked.head(day)) found.set(day, head)
    }
    return found
  }

  /** Milliseconds to wait after a failure; 0: none. */
  get wait(): number {
    return Math.max(0, this.notBefore - performance.now())
  }

  get hasFailed(): boolean {
    return this.failures > 0
  }

  /** Looks at what has changed. A failure is told, and the days stay to be looked at. */
  async look(signal: AbortSignal): Promise<void> {
    const changed = this.changed()
    try {
      const drafts = new Map<string, { draft: AlertDraft; window: Window }>()
      for (const window of windowsOf([...this.days.values()])) {
        signal.throwIfAborted()
        for (const draft of await this.alertsIn(window, signal)) drafts.set(draft.id, { draft, window })
      }
      await this.tell([...drafts.values()])
      // From here on it need not be looked at again: what was found is in the outbox.
      await this.looked.set(changed)
      for (const day of changed.keys()) this.days.get(day)?.unlooked.clear()
      this.failures = 0
      this.notBefore = 0
    } catch (error) {
      signal.throwIfAborted()
      this.failures++
      const wait = Math.min(longestWait, firstWait * 2 ** (this.failures - 1))
      this.notBefore = performance.now() + wait
      this.settings.onNote(
        `cannot look for findings: ${errorText(error)}; it is tried again in ${Math.round(wait / 1000)} s`,
      )
      if (!(error instanceof UserError)) throw error
    }
  }

  private async alertsIn(window: Window, signal: AbortSignal): Promise<AlertDraft[]> {
    const { dir, detecting, onNote, now } = this.settings
    const { from_us, to_us, days } = window
    const began = performance.now()
    const cases = days.map(day => caseOfDay(dir, day))
    const job = { kind: 'detect' as const, cases, into: join(dir, watchNames.window), from_us, to_us, detecting }
    const { alerts, connections, others, problems } = await haveDone(job, signal)
    for (const problem of problems) onNote(problem)
    if (others > 0)
      onNote(
        `${countText(others, 'further finding')} between ${utcSeconds(from_us)} and ${utcSeconds(to_us)}: there is no alert of them`,
      )
    this.last = {
      ...{ at: new Date(now()).toISOString(), from: utcSeconds(from_us), to: utcSeconds(to_us) },
      seconds: Math.round((performance.now() - began) / 100) / 10,
      ...{ connections, findings: alerts.length, new_alerts: 0 },
    }
    return alerts
  }

  private async tell(found: readonly { draft: AlertDraft; window: Window }[]): Promise<void> {
    const { kinds, most, now } = this.settings
    const fresh = found
      .filter(({ draft }) => !this.outbox.has(draft.id, draft.day))
      .sort((a, b) => severities.indexOf(b.draft.severity) - severities.indexOf(a.draft.severity))
    const singly = fresh.length > most ? fresh.slice(0, most) : fresh
    const rest = fresh.slice(singly.length)
    const alerts = singly.map(one => this.alertOf(one))
    if (rest.length > 0) alerts.push(restAlert(rest.map(one => this.alertOf(one))))
    for (const alert of alerts) {
      if (this.outbox.has(alert.id, alert.day)) continue
      await this.outbox.put(alert, kinds, now())
      this.alerts++
      this.settings.onAlert(alert)
    }
    // What one alert stands for is told when that is on the disk.
    for (const day of new Set(rest.map(({ draft }) => draft.day)))
      await this.outbox.tell(
        day,
        rest.filter(({ draft }) => draft.day === day).map(({ draft }) => draft.id),
      )
    if (this.last !== null) this.last.new_alerts = alerts.length
  }

  private alertOf({ draft: { hosts, ...draft }, window }: { draft: AlertDraft; window: Window }): Alert {
    const { dir, commandOf } = this.settings
    const day = this.days.has(draft.day) ? draft.day : (window.days.at(-1) ?? draft.day)
    const own = caseOfDay(dir, day)
    return {
      ...draft,
      window: { from: utcSeconds(window.from_us), to: utcSeconds(window.to_us) },
      case: own,
      next: hosts.map(host => commandOf(host, own)),
    }
  }
}

const moreMost = 5

/** One alert for those that are too many: its id is that of these together. */
function restAlert(alerts: readonly Alert[]): Alert {
  const [first] = alerts as [Alert]
  const ids = alerts.map(({ id }) => id).sort()
  const id = createHash('sha256').update(ids.join(' ')).digest('hex').slice(0, 32)
  return {
    ...first,
    id,
    rule: 'many',
    title: `${countText(alerts.length, 'further finding')} at once`,
    summary: `Too many findings came at once to tell each: ${countText(alerts.length, 'finding')}, the gravest of which is: ${first.title}. tidemark detect on the case of the day lists them.`,
    ...{ subject: [], subject_total: 0, peers: [], peers_total: 0, technique: null, technique_name: null },
    ...{ first_start: null, last_end: null, connections: 0, records: 0, basis: [] },
    more: alerts.slice(0, moreMost).map(({ title, severity, summary }) => ({ title, severity, summary })),
    more_total: alerts.length,
    next: [],
  }
}
