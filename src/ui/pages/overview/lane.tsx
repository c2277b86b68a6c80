/** Above a timeline: where something is missing from the logs, and when each finding was. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { GapsAnswer } from '../../../server/contract/view.ts'
import { FindingLink } from '../../parts/finding-link.tsx'
import { goTo, state } from '../../state.ts'
import { countText, timeText, visible } from '../../text.ts'
import { endOf, type Grid } from './brush.ts'

export type Severity = 'high' | 'medium' | 'low' | 'info'

/** A finding as the lane has it. */
export interface Mark {
  id: string
  severity: Severity
  from: number
  to: number
  title: string
}

type Gap = GapsAnswer['gaps'][number]

interface Props {
  grid: Grid
  width: number
  gaps: readonly Gap[]
  marks: readonly Mark[]
}

/** Of the gaps and marks; names of findings stand above. */
const height = 24
const namesHeight = 16
/** Pixels that a gap's name needs. */
const nameFrom = 56
/** Pixels between marks that can be told apart, and findings that a list of a place names. */
const pileWidth = 14
const pileMost = 12

export function Lane({ grid, width, gaps, marks }: Props): JSX.Element | null {
  const [opened, pick] = useState<Pile | null>(null)
  const [told, tell] = useState<{ x: number; text: string } | null>(null)
  const end = endOf(grid)
  const perPixel = (end - grid.from) / Math.max(1, width)
  const xOf = (second: number): number => Math.min(width, Math.max(0, (second - grid.from) / perPixel))
  const inside = ({ from, to }: { from: number | null; to: number | null }): boolean =>
    from !== null && to !== null && from < end && to >= grid.from
  const shownGaps = gaps.filter(inside)
  const shownMarks = marks.filter(inside)
  const piles = pilesOf(shownMarks, mark => xOf(Math.max(mark.from, grid.from)))
  const open = (pile: Pile): void => {
    const [first] = pile.marks
    if (pile.marks.length === 1) goTo('/', { own: { ...state.value.own, _finding: first!.id } })
    else pick(pile)
  }
  if (shownGaps.length === 0 && shownMarks.length === 0) return null
  const labels = labelsOf(shownMarks, mark => xOf(Math.max(mark.from, grid.from)), width)
  const top = labels.size === 0 ? 0 : namesHeight
  return (
    <div class="lane">
      <svg width={width} height={height + top} viewBox={`0 ${-top} ${width} ${height + top}`} aria-hidden="true">
        <defs>
          <pattern id="gap-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="2.5" height="6" />
          </pattern>
        </defs>
        {shownGaps.map((gap, i) => {
          const x = xOf(gap.from!)
          const wide = Math.max(3, xOf(gap.to!) - x)
          return (
            <g
              key={i}
              class="gap"
              onPointerEnter={() => tell({ x, text: gapText(gap) })}
              onPointerLeave={() => tell(null)}
            >
              <rect x={x} y={12} width={wide} height={10} fill="url(#gap-hatch)" />
              <rect class="edge" x={x + 0.5} y={12.5} width={Math.max(2, wide - 1)} height={9} />
              {wide > nameFrom && (
                <text x={x + 2} y={9}>
                  {gapNames[gap.kind] ?? gap.kind}
                </text>
              )}
            </g>
          )
        })}
        {piles.map(pile => (
          <g
            key={pile.x}
            class="pile"
            onPointerEnter={() => tell({ x: pile.x, text: pileText(pile.marks) })}
            onPointerLeave={() => tell(null)}
            onClick={() => open(pile)}
          >
            <path class={`mark ${pile.marks[0]!.severity}`} d={shapeOf(pile.marks[0]!.severity, pile.x)} />
            {pile.marks.length > 1 && (
              <text x={pile.x} y={9} text-anchor="middle">
                {pile.marks.length}
              </text>
            )}
          </g>
        ))}
      </svg>
      {opened !== null && (
        <ul
          class="told piled"
          style={opened.x > width / 2 ? { right: `${width - opened.x}px` } : { left: `${opened.x}px` }}
        >
          {opened.marks.slice(0, pileMost).map(mark => (
            <li key={mark.id}>
              <FindingLink id={mark.id} /> {markText(mark)}
            </li>
          ))}
          {opened.marks.length > pileMost && (
            <li>and {countText(opened.marks.length - pileMost)} more, listed above</li>
          )}
          <li>
            <button type="button" onClick={() => pick(null)}>
              Close
            </button>
          </li>
        </ul>
      )}
      {told !== null && opened === null && (
        <div class="told" style={told.x > width / 2 ? { right: `${width - told.x}px` } : { left: `${told.x}px` }}>
          {told.text}
        </div>
      )}
    </div>
  )
}

/** Findings that would lie over each other, the gravest first. */
interface Pile {
  x: number
  marks: Mark[]
}

/** Marks come with the gravest first. */
function pilesOf(marks: readonly Mark[], xOf: (mark: Mark) => number): Pile[] {
  const piles: Pile[] = []
  for (const mark of marks) {
    const x = xOf(mark)
    const near = piles.find(pile => Math.abs(pile.x - x) < pileWidth)
    if (near === undefined) piles.push({ x, marks: [mark] })
    else near.marks.push(mark)
  }
  return piles
}

function pileText(marks: readonly Mark[]): string {
  const more = marks.length > 3 ? `; and ${countText(marks.length - 3)} more: click for the list` : ''
  return marks.slice(0, 3).map(markText).join('; ') + more
}

const gapNames: Readonly<Record<string, string>> = {
  skipdata: 'SKIPDATA',
  'time-gap': 'no lines',
  'malformed-lines': 'malformed',
  'unreadable-file': 'not read',
  'partly-read-file': 'partly read',
  'dropped-packets': 'dropped',
  'undecoded-packets': 'not decoded',
}

function gapText({ kind, sensor, from, to, says }: Gap): string {
  const of = sensor === null ? '' : ` of ${visible(sensor)}`
  return `${gapNames[kind] ?? kind}${of}, ${timeText(from)} to ${timeText(to)} UTC: ${visible(says)}`
}

function markText({ severity, from, to, title }: Mark): string {
  return `${visible(title)} (${severity}), ${timeText(from)} to ${timeText(to)} UTC`
}

interface Label {
  x: number
  anchor: 'start' | 'end'
  text: string
}

/** Pixels of a letter, at most. */
const letter = 6.5
const labelMost = 44

/** Names of the gravest findings, where there is room for them. */
function labelsOf(marks: readonly Mark[], xOf: (mark: Mark) => number, width: number): Map<Mark, Label> {
  const labels = new Map<Mark, Label>()
  const taken: [number, number][] = []
  for (const mark of marks.filter(({ severity }) => severity === 'high' || severity === 'medium')) {
    const title = visible(mark.title)
    const text = title.length > labelMost ? `${title.slice(0, labelMost - 1)}…` : title
    const wide = text.length * letter
    const at = xOf(mark)
    for (const anchor of ['start', 'end'] as const) {
      const from = anchor === 'start' ? at - 4 : at + 4 - wide
      const to = from + wide
      if (from < 0 || to > width || taken.some(([a, b]) => from < b && to > a)) continue
      taken.push([from, to + 12])
      labels.set(mark, { x: anchor === 'start' ? at - 4 : at + 4, anchor, text })
      break
    }
  }
  return labels
}

/** Down to the time at which it begins; a grave one is larger, the least is a dot. */
function shapeOf(severity: Severity, x: number): string {
  if (severity === 'info') return `M${x} 17a3 3 0 1 1 .01 0Z`
  const half = severity === 'high' ? 7 : severity === 'medium' ? 5.5 : 4
  return `M${x} 23L${x - half} ${23 - 1.8 * half}H${x + half}Z`
}
