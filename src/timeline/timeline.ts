/**
 * The records of a case over time: exact totals of any window, for any filter, in milliseconds.
 *
 * A record belongs to the second in which it begins. Volumes are those of `tidemark flows`: of accepted records, each counted once.
 */
import { rm } from 'node:fs/promises'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { DamagedSections } from '../store/section-file.ts'
import type { Going } from './going.ts'
import { type MakingOptions, openTimeIndex } from './kept.ts'
import { openTotals } from './kept-totals.ts'
import { KeptWork } from './kept-work.ts'
import { matchedBy, sumsOf, type ViewOptions, type ViewRequest } from './make-view.ts'
import { MatchedRows } from './matched-rows.ts'
import type { Window } from './parts.ts'
import type { TimeIndex } from './read.ts'
import { RowReader } from './rows.ts'
import type { TotalsFile } from './totals-file.ts'
import { type Reading, View } from './view.ts'

export type { ViewRequest } from './make-view.ts'
export type { Window } from './parts.ts'
export type { Range, RangeOptions, View } from './view.ts'

export interface TimelineOptions extends Going, MakingOptions {
  /** Which flow records. By default the case's own. */
  evidence?: EvidenceKind
}

/** Bytes that views may take which were asked for lately, and the rows that match. */
const viewBytes = 128 << 20
const matchBytes = 48 << 20

export class Timeline {
  private readonly c: Case
  private readonly evidence: EvidenceKind
  private readonly making: MakingOptions
  private readonly reader: RowReader
  private readonly opened: TimeIndex[]
  private readonly views = new KeptWork<View>(viewBytes)
  private readonly matches = new KeptWork<MatchedRows>(matchBytes)
  private totals: TotalsFile | null = null
  private opening: Promise<TotalsFile> | null = null
  /** By path of a damaged file: until it is made again. */
  private readonly remaking = new Map<string, Promise<void>>()

  constructor(c: Case, evidence: EvidenceKind, index: TimeIndex, making: MakingOptions) {
    this.making = making
    this.c = c
    this.evidence = evidence
    this.opened = [index]
    this.reader = new RowReader(index)
  }

  /** Records that there are. */
  get records(): number {
    return this.reader.index.rows
  }

  /** From the second of the first record up to the one after the last; null where no record says when it began. */
  get span(): Window | null {
    const { span } = this.reader.index
    return span === null ? null : { from_s: span.first_s, to_s: span.last_s + 1 }
  }

  /**
   * The view of a filter; the same object as long as it is kept.
   *
   * @throws UserError, FilterError where the filter cannot be meant; the signal's reason.
   */
  view(request: ViewRequest = {}, options: ViewOptions = {}): Promise<View> {
    return this.views.get(keyOf(request, options), options.signal, async signal => {
      const going = { ...options, signal }
      const { matched } = await this.matching(request, going)
      const { reader } = this
      return this.reading(async () => {
        const summed = await sumsOf(reader, matched, { ...going, totals: () => this.totalsOf() })
        return new View({ ...matched, ...summed, reader }, this.reading)
      })
    })
  }

  /** The records that match, without what they sum up to: that takes a tenth of the time. @throws as `view` does. */
  matching(request: ViewRequest = {}, options: ViewOptions = {}): Promise<MatchedRows> {
    return this.matches.get(keyOf(request, options), options.signal, signal =>
      this.reading(async () => {
        const { reader, c } = this
        const matched = await matchedBy(c, reader.index, request, { ...options, signal })
        return new MatchedRows(matched, reader, this.reading)
      }),
    )
  }

  /** For all who ask, whoever of them no longer waits. */
  private totalsOf(): Promise<TotalsFile> {
    if (this.totals !== null) return Promise.resolve(this.totals)
    const open = async (): Promise<TotalsFile> => {
      try {
        this.totals = await openTotals(this.c, this.reader)
        return this.totals
      } finally {
        this.opening = null
      }
    }
    this.opening ??= open()
    return this.opening
  }

  /** Does work that reads the files. Where one turns out to be damaged it is made again, and the work done again. */
  private readonly reading: Reading = async work => {
    for (const failed = new Set<string>(); ; ) {
      const { index } = this.reader
      try {
        index.begin()
        return await work()
      } catch (error) {
        if (!(error instanceof DamagedSections) || failed.has(error.path)) throw error
        const { path } = error
        failed.add(path)
        if (path !== index.file.path && path !== this.totals?.path) throw error
        if (path === index.file.path && this.reader.index !== index) continue
        const made = this.remaking.get(path) ?? this.remake(path)
        this.remaking.set(path, made)
        await made.finally(() => this.remaking.delete(path))
      }
    }
  }

  private async remake(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined)
    if (path === this.totals?.path) {
      this.totals.turnTo(await this.reading(() => openTotals(this.c, this.reader)))
      return
    }
    // The old one stays open: others may be reading it, and another file could get its number.
    const made = await question(this.c, undefined, own => openTimeIndex(own, this.evidence, this.making))
    this.opened.push(made)
    this.reader.turnTo(made)
  }

  close(): void {
    this.totals?.close()
    for (const index of this.opened) index.close()
  }
}

function keyOf(request: ViewRequest, { folder, files, fileParams }: ViewOptions): string {
  return JSON.stringify([request, folder, files, fileParams])
}

/**
 * The timeline of a case; its index is made if it is not there. The case must stay open as long as it is used.
 *
 * @throws UserError for a damaged case; the signal's reason.
 */
export async function openTimeline(
  c: Case,
  { evidence = c.source, signal, ...making }: TimelineOptions = {},
): Promise<Timeline> {
  const onProgress = (rows: number): void => {
    signal?.throwIfAborted()
    making.onProgress?.(rows)
  }
  const index = await question(c, signal, own => openTimeIndex(own, evidence, { ...making, onProgress }))
  return new Timeline(c, evidence, index, making)
}
