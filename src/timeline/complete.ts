/** The hosts of a window, exactly, where there are too many to keep totals of each: summed up over the rows of the window. */
import { setImmediate } from 'node:timers/promises'
import { Figures, type HostOrder, type HostRow, hostText, type Page } from './figures.ts'
import type { ViewParts } from './parts.ts'
import { piecesOf } from './read.ts'
import { hasAny, Sight } from './running.ts'
import { allSlots } from './slots.ts'
import { Sums } from './sums.ts'

/** @throws DamagedSections */
export async function allHosts(
  { reader, running, fields }: ViewParts,
  [from, to]: readonly [number, number],
  order: HostOrder,
  top: number,
): Promise<Page<HostRow>> {
  const { index } = reader
  const hosts = allSlots(index.about.hosts)
  const groups = { ...running[0]!.basis.groups, hosts: hosts.count }
  const parts: Sums[] = []
  for (const { basis } of running) {
    const { mask, digit } = basis
    const sums = new Sums(groups)
    const sight = new Sight({ ...basis, hosts })
    const rows = reader.room()
    for (const { block, first, rows: some } of piecesOf(index, from, to)) {
      if (mask !== null && !hasAny(mask.words, first, index.rowsOf(block))) continue
      reader.read(block, digit, rows)
      sums.add(sight.of(rows, some), some, 1, groups, mask?.words ?? null, first)
      await setImmediate()
    }
    parts.push(sums)
  }
  const figures = new Figures(index.about, groups, parts, fields)
  const { hi, lo } = index.hosts
  const none = index.about.hosts
  const isBefore = (one: number, other: number): boolean =>
    other === none || (one !== none && (hi[one]! < hi[other]! || (hi[one] === hi[other] && lo[one]! < lo[other]!)))
  const rows = figures.hosts(order, top, hosts, host => hostText(index.hosts, host), isBefore)
  return { rows, count: figures.countOf('hosts', hosts.listed), exact: true }
}
