/** Pieces of drawings: elements of SVG without a style or a script of their own; the page's style sheet knows their classes. */
import { inlines, type Text } from '../block.ts'
import { type Attributes, type Element, element, type Markup } from '../html-text.ts'

/** What a drawing is laid out for, and how wide that is, in units of which a text is twelve high. */
export interface Canvas {
  readonly isNarrow: boolean
  readonly width: number
}

const wide: Canvas = { isNarrow: false, width: 1000 }
/** As wide as a phone. */
const narrow: Canvas = { isNarrow: true, width: 380 }

/** A drawing in both layouts. */
export function inBothLayouts(draw: (canvas: Canvas) => Element): { drawing: Element; narrow: Element } {
  return { drawing: draw(wide), narrow: draw(narrow) }
}

/** The name of a drawing's ids: those of the two layouts differ. */
export function nameOn({ isNarrow }: Canvas, name: string): string {
  return isNarrow ? `${name}-narrow` : name
}

/** @param name of its title's id: one a page. @param description what can be seen, for who cannot. */
export function drawing(
  canvas: Canvas,
  { name: common, title, description, height }: { name: string; title: string; description: string; height: number },
  ...children: readonly Markup[]
): Element {
  const name = nameOn(canvas, common)
  return element(
    'svg',
    {
      ...{ viewBox: `0 0 ${canvas.width} ${round(height)}`, role: 'img' },
      ...{ 'aria-labelledby': `${name}-title`, 'aria-describedby': `${name}-text` },
    },
    element('title', { id: `${name}-title` }, title),
    element('desc', { id: `${name}-text` }, description),
    hatches(name),
    ...children,
  )
}

/** Fills that can be told apart without colours. */
function hatches(name: string): Element {
  const pattern = (kind: string, size: number, ...children: Element[]): Element =>
    element(
      'pattern',
      { id: `${name}-${kind}`, width: size, height: size, patternUnits: 'userSpaceOnUse' },
      rect(0, 0, size, size, { class: 'back' }),
      ...children,
    )
  return element(
    'defs',
    {},
    pattern('hatch', 8, line(0, 8, 8, 0, { class: 'hatch' })),
    pattern('cross', 8, line(0, 8, 8, 0, { class: 'cross' }), line(0, 0, 8, 8, { class: 'cross' })),
    pattern('dots', 8, element('circle', { cx: 4, cy: 4, r: 1.4, class: 'dot' })),
  )
}

export function fill(name: string, kind: 'hatch' | 'cross' | 'dots'): Attributes {
  return { fill: `url(#${name}-${kind})` }
}

export function rect(x: number, y: number, w: number, h: number, attributes: Attributes = {}): Element {
  return element('rect', { x: round(x), y: round(y), width: round(w), height: round(h), ...attributes })
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): Element {
  return element('line', { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), ...attributes })
}

/** A text whose values say where they stand in the document. */
export function words(x: number, y: number, text: Text, attributes: Attributes = {}): Element {
  const parts = inlines(text).map(
    (one): Markup => (typeof one === 'string' ? one : element('tspan', { 'data-figure': one.of }, one.text)),
  )
  return element('text', { x: round(x), y: round(y), ...attributes }, ...parts)
}

/** What a scale is labelled with: no value of the document. */
export function scaleLabels(...labels: readonly Element[]): Element {
  return element('g', { class: 'quiet', 'data-scale': true }, ...labels)
}

/** A path of d3, with a tenth of a unit at most. */
export function path(d: string, attributes: Attributes = {}): Element {
  return element('path', { d: d.replace(/-?\d+\.\d+/g, number => String(round(Number(number)))), ...attributes })
}

export function round(number: number): number {
  return Math.round(number * 10) / 10
}
