import type { Dossier, TimelineBin } from '../investigate/dossier.ts'
import { type BarLine, type Block, bars, heading, paragraph } from './block.ts'
import { endpointText } from './names.ts'
import { countText } from './numbers.ts'
import { chosenServices, type NumberedService } from './services.ts'

const rowsAtMost = 10

/** What moved when: one row of bars for each service, and one for all records. */
export function timelineBlocks(d: Dossier): Block[] {
  const bins = d.timeline.filter(bin => Number.isFinite(Date.parse(bin.start)) && bin.seconds > 0)
  if (bins.length === 0) return []
  const lines = chosenServices(d).map(entry => serviceLine(entry, bins))
  const drawn = Math.min(rowsAtMost, lines.filter(({ values }) => values.some(value => value > 0)).length)
  const hidden = d.services.length + d.services_other.count - drawn
  const without = d.bytes.unsummed > 0 ? 'no bytes that a record tells' : 'no bytes'
  return [
    heading('Timeline'),
    bars({
      what: 'bytes both ways',
      bins: bins.map(({ start, seconds }) => ({ start: Date.parse(start) / 1000, seconds })),
      lines,
      linesAtMost: rowsAtMost,
      whole: { label: 'all records', unit: 'count', values: bins.map(bin => bin.records) },
      gaps: d.attack_surface.gaps.map(({ from, to }) => ({
        from: Date.parse(from ?? '') / 1000,
        to: Date.parse(to ?? '') / 1000,
      })),
      gapsLabel: d.source === 'logs' ? 'log has gaps' : 'gaps',
    }),
    ...(hidden > 0
      ? [
          paragraph(
            `${countText(hidden, 'pair')} of client and service without a row: ${without}, or fewer than these.`,
          ),
        ]
      : []),
  ]
}

function serviceLine({ number, index, service }: NumberedService, bins: readonly TimelineBin[]): BarLine {
  return {
    label: `${number} ${endpointText(service.server, service.port)}`,
    unit: 'bytes',
    values: bins.map(bin => Number(bin.bytes_by_service[String(index)] ?? 0)),
  }
}
