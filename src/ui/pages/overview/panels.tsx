/** The panels of the overview: what the records of the window have, ranked. They follow the brush while it is dragged. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type {
  ActionRow,
  HostRow,
  Order,
  PortRow,
  ProtocolRow,
  RangeAnswer,
  SensorRow,
} from '../../../server/contract/view.ts'
import { actionTerm, hostTerm, portTerm, protocolTerm, sensorTerm } from '../../parts/term.ts'
import { RankedPanel, rowsMost, rowsUsual, type Shown, size } from './ranked.tsx'
import { acceptedOf } from './totals.tsx'

export type PanelName = 'hosts' | 'ports' | 'sensors' | 'actions' | 'protocols'

export interface PanelsProps {
  range: RangeAnswer
  order: Order
  more: ReadonlySet<PanelName>
  setMore: (panel: PanelName, isMore: boolean) => void
  /** Instead of the server's ports by number. */
  services: ComponentChildren
  /** Beside the title of the server's ports. */
  basis: ComponentChildren
}

const moved = ['sent', 'received'] as const
const outcome = ['accepted', 'rejected'] as const

/** Which panels are shown in full. */
export function useMore(): [ReadonlySet<PanelName>, PanelsProps['setMore']] {
  const [more, keep] = useState<ReadonlySet<PanelName>>(new Set())
  return [
    more,
    (panel, isMore) => {
      const next = new Set(more)
      if (isMore) next.add(panel)
      else next.delete(panel)
      keep(next)
    },
  ]
}

export function Panels({ range, order, more, setMore, services, basis }: PanelsProps): JSX.Element {
  const rest = (name: PanelName, usual = rowsUsual) => ({
    ...{ order, id: `panel-${name}`, most: more.has(name) ? rowsMost : usual, isMore: more.has(name) },
    onMore: (isMore: boolean) => setMore(name, isMore),
  })
  return (
    <>
      <RankedPanel
        {...rest('hosts')}
        title="Hosts"
        what="host"
        whats="hosts"
        ranked={range.hosts}
        shownOf={row => hostShown(row, order)}
        parts={order === 'records' ? outcome : moved}
      />
      {services ?? (
        <RankedPanel
          {...rest('ports')}
          title="Server ports, by number"
          what="port"
          whats="ports"
          ranked={range.ports}
          shownOf={row => portShown(row, order)}
          parts={outcome}
        >
          {basis}
        </RankedPanel>
      )}
      <div class="column">
        <RankedPanel
          {...rest('sensors', 5)}
          title="Sensors"
          what="sensor"
          whats="sensors"
          ranked={range.sensors}
          shownOf={row => sensorShown(row, order)}
          parts={outcome}
        />
        <RankedPanel
          {...rest('actions', 4)}
          title="Actions"
          what="action"
          whats="actions"
          ranked={range.actions}
          shownOf={row => actionShown(row, order)}
          parts={outcome}
        />
        <RankedPanel
          {...rest('protocols', 4)}
          title="Protocols"
          what="protocol"
          whats="protocols"
          ranked={range.protocols}
          shownOf={row => protocolShown(row, order)}
          parts={outcome}
        />
      </div>
    </>
  )
}

/** Bars are of what the rows rank by: bytes of accepted records, or records with the rejected ones apart. */
export function outcomeParts(
  row: { bytes: HostRow['bytes']; records: HostRow['records']; rejected: HostRow['rejected'] },
  order: Order,
): [number, number] {
  if (order === 'bytes') return [size(row.bytes), 0]
  return row.rejected === null ? [size(row.records), 0] : [size(acceptedOf(row)), size(row.rejected)]
}

function hostShown(row: HostRow, order: Order): Shown {
  const parts: [number, number] = order === 'records' ? outcomeParts(row, order) : [size(row.sent), size(row.received)]
  if (row.host === null) return { key: '', term: { text: 'no address', filter: null }, parts }
  return { key: row.host, term: hostTerm(row.host), parts }
}

function portShown(row: PortRow, order: Order): Shown {
  const term = row.port === null ? { text: 'no port', filter: null } : portTerm(row.port)
  return { key: String(row.port), term, parts: outcomeParts(row, order) }
}

function sensorShown(row: SensorRow, order: Order): Shown {
  return { key: String(row.sensor), term: sensorTerm(row.sensor), parts: outcomeParts(row, order) }
}

function actionShown(row: ActionRow, order: Order): Shown {
  return { key: String(row.action), term: actionTerm(row.action), parts: outcomeParts(row, order) }
}

function protocolShown(row: ProtocolRow, order: Order): Shown {
  return { key: String(row.protocol), term: protocolTerm(row.protocol), parts: outcomeParts(row, order) }
}
