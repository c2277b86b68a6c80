/**
 * The file of the totals of all records: what a view without a filter takes a pass over the index for. It is of one index, whose digest it
 * names.
 *
 * Sections, for each part of the counters: what is summed up to each place, packed; then records, bytes and packets of the series.
 */
import { DamagedSections, type SectionFile, SectionWriter } from '../store/section-file.ts'
import type { ViewParts } from './parts.ts'
import { type Basis, Running } from './running.ts'
import { Series } from './series.ts'
import { SumPlaces } from './sum-places.ts'

/** What the file says of itself. */
interface TotalsAbout {
  /** Digest of the index. */
  index: string
  counting: ViewParts['counting']
  /** See `Running.at`. */
  at: readonly number[]
  ports: ViewParts['ports']
}

/** @param index digest of the index that the view is of. */
export function writeTotals(path: string, index: string, { running, counting, ports }: ViewParts): void {
  const writer = new SectionWriter(path)
  try {
    for (const { places, series } of running) {
      for (let place = 0; place < places.count; place++) writer.add(places.packedAt(place))
      for (const array of series === null ? [] : series.arrays)
        writer.add(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    }
    const about: TotalsAbout = { index, counting, at: running[0]!.at, ports }
    writer.finish(Buffer.from(JSON.stringify(about)))
  } finally {
    writer.close()
  }
}

export class TotalsFile {
  readonly about: TotalsAbout
  private file: SectionFile

  /** @throws DamagedSections for a file that is not what was written, or of another index. */
  constructor(file: SectionFile, index: string) {
    this.file = file
    this.about = aboutOf(file)
    if (this.about.index !== index) throw new DamagedSections(file.path, 'it is of another index')
  }

  get path(): string {
    return this.file.path
  }

  /** Reads from another file with the same totals: one that was made again. */
  turnTo(other: TotalsFile): void {
    this.file.close()
    this.file = other.file
  }

  /** The running totals of one of the parts of the counters. @throws DamagedSections */
  running(basis: Basis, part: number): Running {
    const { at } = this.about
    const { span } = basis.reader.index
    const series = span === null ? null : new Series(span.first_s, span.last_s)
    const first = part * (at.length + (series?.arrays.length ?? 0))
    const places = new SumPlaces(basis.groups, at.length, place => this.read(first + place), 0)
    for (const [i, array] of (series?.arrays ?? []).entries())
      new Uint8Array(array.buffer).set(this.read(first + at.length + i))
    return new Running(basis, at, places, series, null)
  }

  private read(section: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.file.lengthOf(section))
    this.file.read(section, bytes)
    return bytes
  }

  close(): void {
    this.file.close()
  }
}

function aboutOf(file: SectionFile): TotalsAbout {
  try {
    return JSON.parse(Buffer.from(file.about).toString()) as TotalsAbout
  } catch {
    throw new DamagedSections(file.path, 'what it says of itself cannot be read')
  }
}
