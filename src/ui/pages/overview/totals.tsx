/** How many records, what they moved, and what does not count: of the window, out of the whole case. */
import type { JSX } from 'preact'
import type { Count } from '../../../server/contract/common.ts'
import type { Totals } from '../../../server/contract/view.ts'
import { bytesText, countText } from '../../text.ts'

interface Figure {
  name: string
  means: string
  of: (totals: Totals) => Count
  isBytes?: boolean
  /** Shown where it is not zero, in the case or here. */
  isRare?: boolean
}

const figures: readonly Figure[] = [
  { name: 'records', means: 'Flow records, each once', of: ({ records }) => records },
  { name: 'accepted', means: 'Records that were not rejected', of: acceptedOf },
  { name: 'rejected', means: 'Records with the action REJECT', of: ({ rejected }) => rejected },
  { name: 'bytes', means: 'Bytes of accepted records; raw: of all', of: ({ bytes }) => bytes, isBytes: true },
  { name: 'packets', means: 'Packets of accepted records; raw: of all', of: ({ packets }) => packets },
  {
    name: 'seen twice',
    means: 'Records of traffic that another sensor or file has too: they are not counted; raw counts them',
    of: ({ collapsed }) => collapsed,
  },
  { name: 'unknown', means: 'Records of which it cannot be told whether they match', of: ({ unknown }) => unknown },
  {
    name: 'without volume',
    means: 'Records that do not say how many bytes or packets: the sums are at least what the others say',
    of: ({ unsummed }) => unsummed,
    isRare: true,
  },
  {
    name: 'without time',
    means: 'Records that do not say when they began: they are in no window and no bin',
    of: ({ untimed }) => untimed,
    isRare: true,
  },
]

/** Null where the records have no action. */
export function acceptedOf({ records, rejected }: Pick<Totals, 'records' | 'rejected'>): Count {
  if (records === null || rejected === null) return null
  return typeof records === 'number' && typeof rejected === 'number'
    ? records - rejected
    : String(BigInt(records) - BigInt(rejected))
}

interface Props {
  totals: Totals | null
  whole: Totals | null
  /** Neither a filter nor a window: they are those of the whole case. */
  isAll: boolean
  /** Of an earlier question. */
  isOld: boolean
}

export function TotalsStrip({ totals, whole, isAll, isOld }: Props): JSX.Element {
  const shown = figures.filter(({ isRare, of }) => isRare !== true || (whole !== null && isSome(of(whole))))
  return (
    <dl class={`totals${isOld ? ' old' : ''}`} aria-label="Totals">
      {shown.map(({ name, means, of, isBytes = false }) => (
        <div key={name} title={means}>
          <dt>{name}</dt>
          <dd title={isBytes && totals !== null ? `${countText(of(totals))} B` : undefined}>
            <b>{totals === null ? '…' : text(of(totals), isBytes)}</b>
            <small>{whole === null || isAll ? '\u00a0' : `of ${text(of(whole), isBytes)}`}</small>
          </dd>
        </div>
      ))}
    </dl>
  )
}

const isSome = (count: Count): boolean => count !== null && Number(count) > 0

function text(count: Count, isBytes: boolean): string {
  return isBytes ? bytesText(count) : countText(count)
}
