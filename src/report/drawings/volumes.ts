/** How much went which way, service by service: to the client on the left, to the server on the right. */
import { scaleLinear } from 'd3-scale'
import type { Count, Dossier, ServiceRow } from '../../investigate/dossier.ts'
import { type Block, figure, table, line as textLine } from '../block.ts'
import { addressOf, placeOf, sizeOf, sumOf } from '../figures.ts'
import type { Element } from '../html-text.ts'
import { chosenServices, type NumberedService } from '../services.ts'
import { colourOf, endpointParts, type SeriesOf, serviceParts } from './series.ts'
import { type Canvas, drawing, inBothLayouts, line, rect, words } from './svg.ts'

const name = 'volumes'
const rowsMax = 10
const top = 40
const title = 'How much went which way'

/** Nothing where no service is known to have moved anything. */
export function volumesFigure(d: Dossier, series: SeriesOf): Block[] {
  const rows = chosenServices(d, rowsMax)
    .filter(({ service }) => moved(service) > 0n)
    .slice(0, rowsMax)
  if (rows.length === 0) return []
  return [
    figure({
      title,
      description:
        'Bytes of accepted traffic, counted once, of the services that stand out: to the client on the left, to the server on the right.',
      ...inBothLayouts(canvas => volumesDrawing(canvas, d, rows, series)),
      data: valuesTable(d, rows),
    }),
  ]
}

function volumesDrawing(canvas: Canvas, d: Dossier, rows: readonly NumberedService[], series: SeriesOf): Element {
  const most = rows.reduce(
    (peak, { service: s }) => Math.max(peak, Number(s.bytes_to_server ?? 0), Number(s.bytes_to_client ?? 0)),
    1,
  )
  const middle = canvas.width / 2
  // Beside the longest bar is room for a size in words.
  const scale = scaleLinear([0, most], [0, middle - (canvas.isNarrow ? 86 : 130)])
  const rowHeight = canvas.isNarrow ? 68 : 52
  const height = top + rows.length * rowHeight + 6
  return drawing(
    canvas,
    {
      ...{ name, title, height },
      description:
        'A bar to the left and one to the right for each service, all to one scale. The values are in the table below.',
    },
    words(middle - 10, 18, '← to the client', { 'text-anchor': 'end', class: 'quiet' }),
    words(middle + 10, 18, 'to the server →', { class: 'quiet' }),
    line(middle, 26, middle, height - 4, { class: 'edge' }),
    ...rows.flatMap((row, i) => rowElements(canvas, d, row, top + i * rowHeight, scale, colourOf(series, row.index))),
  )
}

function moved({ bytes_to_server, bytes_to_client }: ServiceRow): bigint {
  return BigInt(bytes_to_server ?? 0) + BigInt(bytes_to_client ?? 0)
}

function rowElements(
  canvas: Canvas,
  d: Dossier,
  { index, service }: NumberedService,
  top: number,
  scale: (value: number) => number,
  colour: number,
) {
  const at = `dossier.services.${index}`
  const bar = (bytes: Count | null): number =>
    Math.max(bytes === null || Number(bytes) === 0 ? 0 : 1, scale(Number(bytes ?? 0)))
  const [left, right] = [bar(service.bytes_to_client), bar(service.bytes_to_server)]
  const middle = canvas.width / 2
  const client = textLine`client ${addressOf(service.client, `${at}.client`)}`
  const labels = canvas.isNarrow ? [serviceParts(d, index), client] : [textLine`${serviceParts(d, index)}, ${client}`]
  const y = top + (labels.length - 1) * 16
  return [
    ...labels.map((label, i) => words(middle, top + 8 + i * 16, label, { 'text-anchor': 'middle', class: 'halo' })),
    rect(middle - left, y + 16, left, 16, { class: `f${colour}` }),
    rect(middle, y + 16, right, 16, { class: `f${colour}` }),
    words(middle - left - 8, y + 29, size(service.bytes_to_client, `${at}.bytes_to_client`), { 'text-anchor': 'end' }),
    words(middle + right + 8, y + 29, size(service.bytes_to_server, `${at}.bytes_to_server`)),
  ]
}

function size(bytes: Count | null, of: string) {
  return bytes === null ? 'unknown' : sizeOf(bytes, of)
}

function valuesTable(d: Dossier, rows: readonly NumberedService[]) {
  const right = { align: 'right' } as const
  return table(
    [
      { title: 'server' },
      { title: 'client' },
      { title: 'bytes to client', ...right },
      { title: 'bytes to server', ...right },
    ],
    rows.map(({ index, service: s }) => {
      const at = `dossier.services.${index}`
      return {
        label: placeOf('S', index, at),
        cells: [
          endpointParts(d, index),
          addressOf(s.client, `${at}.client`),
          sumOf(s.bytes_to_client, s.at_least, `${at}.bytes_to_client`),
          sumOf(s.bytes_to_server, s.at_least, `${at}.bytes_to_server`),
        ],
      }
    }),
    'Bytes of each service by direction',
  )
}
