/** The values of a timeline as a table, for those who do not see it, or want them exactly. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Count } from '../../../server/contract/common.ts'
import { countText, timeText } from '../../text.ts'
import type { Measure } from '../../url.ts'
import type { Grid } from './brush.ts'
import type { Named } from './layers.tsx'
import { widthText } from './ticks.ts'

interface Props {
  grid: Grid
  layers: readonly Named[]
  outline: readonly Count[] | null
  measure: Measure
}

export function ValuesTable({ grid, layers, outline, measure }: Props): JSX.Element {
  const [isOpen, open] = useState(false)
  const unit = measure === 'records' ? 'records' : `${measure} of the records`
  return (
    <details class="values" onToggle={event => open(event.currentTarget.open)}>
      <summary>
        The values as a table{' '}
        <span class="muted">
          ({unit} that begin in each {widthText(grid.width)})
        </span>
      </summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keys
        <section class="scroll" tabIndex={0} aria-label="Values of the timeline">
          <table>
            <thead>
              <tr>
                <th scope="col">from (UTC)</th>
                {layers.map(({ key, name }) => (
                  <th key={key} scope="col" class="number">
                    {name}
                  </th>
                ))}
                {outline !== null && (
                  <th scope="col" class="number">
                    without the filter
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {Array.from({ length: grid.bins }, (_, bin) => (
                <tr key={bin}>
                  <td>{timeText(grid.from + bin * grid.width)}</td>
                  {layers.map(({ key, values }) => (
                    <td key={key} class="number">
                      {countText(values[bin] ?? null)}
                    </td>
                  ))}
                  {outline !== null && <td class="number">{countText(outline[bin] ?? null)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  )
}
