/** What the layers of a timeline are, and what it stacks and sums up. */
import type { JSX } from 'preact'
import type { Stack } from '../../../server/contract/view.ts'
import { go, state } from '../../state.ts'
import type { Measure } from '../../url.ts'
import { type Named, Swatch } from './layers.tsx'

const stacks: readonly [Stack, string][] = [
  ['ports', 'Server ports'],
  ['actions', 'Accepted, rejected'],
  ['ways', 'Sent, received'],
]
const measures: readonly Measure[] = ['bytes', 'packets', 'records']

export function stackOf(name: string | undefined): Stack {
  return stacks.find(([one]) => one === name)?.[0] ?? 'ports'
}

export function Legend({
  layers,
  stack,
  outline,
}: {
  layers: readonly Named[]
  stack: Stack
  /** What is said of the whole case around; null: it is not drawn. */
  outline: string | null
}): JSX.Element {
  const { measure } = state.value
  return (
    <div class="legend">
      <Choice
        title="What is summed up"
        items={measures.map(one => [one, one] as const)}
        chosen={measure}
        choose={one => go({ measure: one })}
      />
      <Choice
        title="What is stacked"
        items={stacks}
        chosen={stack}
        choose={one => {
          const { _stack: _, ...rest } = state.value.own
          go({ own: one === 'ports' ? rest : { ...rest, _stack: one } })
        }}
      />
      <ul aria-label={stack === 'ports' ? 'Server ports' : 'Layers'}>
        {layers.map(layer => (
          <li key={layer.key}>
            <Swatch layer={layer} /> {layer.short}
          </li>
        ))}
        {outline !== null && (
          <li>
            <i class="swatch outline" /> {outline}
          </li>
        )}
      </ul>
    </div>
  )
}

interface ChoiceProps<Name extends string> {
  title: string
  items: readonly (readonly [Name, string])[]
  chosen: Name
  choose: (name: Name) => void
}

/** One of a few, side by side. */
export function Choice<Name extends string>({ title, items, chosen, choose }: ChoiceProps<Name>): JSX.Element {
  return (
    <div class="choice" role="group" aria-label={title}>
      {items.map(([name, text]) => (
        <button key={name} type="button" aria-pressed={name === chosen} onClick={() => choose(name)}>
          {text}
        </button>
      ))}
    </div>
  )
}
