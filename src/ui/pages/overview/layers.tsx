/** Layers of a timeline: their names, colours and values as texts. */
import type { JSX } from 'preact'
import type { Count } from '../../../server/contract/common.ts'
import type { Layer, LayerKey } from '../../../server/contract/view.ts'
import { coloursOf } from '../../parts/colours.ts'
import { bytesText, countText } from '../../text.ts'
import type { Measure } from '../../url.ts'
import type { ChartLayer } from './chart.ts'

/** A layer with its name and colour. */
export interface Named extends ChartLayer {
  key: string
  name: string
  /** Where it is said what they are: `443`. */
  short: string
}

export function Swatch({ layer }: { layer: Pick<Named, 'colour' | 'isHatched'> }): JSX.Element {
  return <i class={`swatch ${layer.colour}${layer.isHatched ? ' hatched' : ''}`} />
}

/** `1,234,567 B (1.2 MiB)`. */
export function exactText(count: Count, measure: Measure): string {
  if (measure !== 'bytes' || count === null) return countText(count)
  return Number(count) < 1024 ? `${countText(count)} B` : `${countText(count)} B (${bytesText(count)})`
}

/** @param largest ports that have their colours first. */
export function namedOf(layers: readonly Layer[], largest: readonly (number | null)[]): Named[] {
  coloursOf(largest.map(port => `port ${port}`))
  const named = layers.map(({ key, values }) => ({ ...nameOf(key), values }))
  // Layers without anything are not named, unless nothing else is there.
  const some = named.filter(({ values }) => values.some(value => value !== 0))
  const kept = some.length === 0 ? named.slice(0, 1) : some
  const ports = kept.filter(({ fixed }) => fixed === null).map(({ key }) => key)
  const colours = new Map(coloursOf(ports).map((colour, i) => [ports[i]!, colour]))
  return kept.map(({ fixed, ...rest }) => ({ ...rest, colour: fixed ?? colours.get(rest.key)! }))
}

/** `fixed`: the colour that it always has. */
function nameOf(key: LayerKey): Omit<Named, 'values' | 'colour'> & { fixed: string | null } {
  if (typeof key === 'object') {
    const name = key.port === null ? 'no port' : `port ${key.port}`
    return {
      key: `port ${key.port}`,
      name,
      short: key.port === null ? name : String(key.port),
      fixed: null,
      isHatched: false,
    }
  }
  const fixed = fixedColours[key]
  return {
    key,
    name: key,
    short: key === 'other ports' ? 'other' : key,
    fixed,
    isHatched: key === 'rejected' || key === 'received',
  }
}

const fixedColours: Readonly<Record<Exclude<LayerKey, object>, string>> = {
  'other ports': 'series-other',
  accepted: 'accepted',
  rejected: 'rejected',
  sent: 'accepted',
  received: 'series-1',
  'neither way': 'series-other',
}
