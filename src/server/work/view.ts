/** What is answered from the time index. */
import { parseAddress } from '../../net/address.ts'
import { isInternal } from '../../net/internal.ts'
import { parsePrefix } from '../../net/prefix.ts'
import { protocolText } from '../../net/protocols.ts'
import type { Case } from '../../store/case.ts'
import type { Page } from '../../timeline/figures.ts'
import type { Range, Timeline, View } from '../../timeline/timeline.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { Window as WindowAsk } from '../contract/common.ts'
import type {
  HostsAnswer,
  HostsAsk,
  Layer,
  LayerKey,
  RangeAnswer,
  RangeAsk,
  Ranked,
  Stack,
  TimelineAnswer,
  TimelineAsk,
  Totals,
} from '../contract/view.ts'
import { graphAnswer } from './graph.ts'
import { isAll, opening, timelineOf, viewOf, windowOf } from './time-index.ts'

/** Bins that a timeline, and the strip below it, have at most. */
const bins = { timeline: 720, strip: 360 } as const

/** Waits until the index is there; it is not built further when nobody wants it any more. */
async function opened(c: Case, _: object, { progress, signal }: WorkContext): Promise<object> {
  const { timeline, listeners, latest, stop } = opening(c)
  if (latest !== null) progress(latest)
  listeners.add(progress)
  const onAbort = (): void => stop(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await timeline
  } finally {
    signal.removeEventListener('abort', onAbort)
    listeners.delete(progress)
  }
  return {}
}

async function timelineAnswer(c: Case, asked: TimelineAsk, { signal }: WorkContext): Promise<TimelineAnswer | null> {
  const timeline = await timelineOf(c)
  if (timeline === null) return null
  const { measure, stack } = asked
  const isFiltered = asked.view.filter.trim() !== ''
  // Every page needs it: it is worked out to its end.
  const whole = await viewOf(timeline, { ...asked.view, filter: '' })
  const view = isFiltered ? await viewOf(timeline, asked.view, signal) : whole
  const zoom = windowOf(timeline, asked.zoom)
  const { span } = timeline
  const answer: TimelineAnswer = {
    span: span === null ? null : { first: span.from_s, last: span.to_s - 1 },
    ...{
      totals: await totalsOf(view),
      whole: await totalsOf(whole),
      series: null,
      outline: null,
      strip: null,
      ports: [],
    },
  }
  if (span === null) return answer
  const series = await view.series(zoom, bins.timeline, measure, stackNames[stack])
  const strip = await view.series(span, bins.strip, measure, 'none')
  const all = await whole.series(span, bins.strip, measure, 'none')
  const ports = await whole.series(span, 1, 'bytes', 'ports')
  const outline = isFiltered ? await whole.series(zoom, bins.timeline, measure, 'none') : null
  return {
    ...answer,
    series: { from: series.from_s, width: series.width_s, layers: layersOf(series.layers, stack) },
    outline: outline?.layers[0]?.values ?? null,
    ports: ports.layers.flatMap(({ name }) => (typeof name === 'string' ? [] : [name])),
    strip: {
      ...{ from: strip.from_s, width: strip.width_s },
      ...{ values: strip.layers[0]?.values ?? [], whole: all.layers[0]?.values ?? [] },
    },
  }
}

const stackNames = { ports: 'ports', actions: 'outcome', ways: 'way' } as const

const layerKeys: Readonly<Record<string, LayerKey>> = {
  ...{ accepted: 'accepted', rejected: 'rejected', out: 'sent', in: 'received' },
}

function layersOf(layers: readonly { name: string | number | null; values: Layer['values'] }[], stack: Stack): Layer[] {
  const keyOf = (name: string | number | null): LayerKey => {
    if (stack === 'ports') return typeof name === 'string' ? 'other ports' : { port: name }
    return layerKeys[String(name)] ?? 'neither way'
  }
  return layers.map(({ name, values }) => ({ key: keyOf(name), values }))
}

async function totalsOf(view: View): Promise<Totals> {
  const { records: untimed } = await view.withoutTime()
  return { ...view.totals, unknown: view.unknown, untimed }
}

async function rangeAnswer(
  c: Case,
  { view: asked, window, order, top, complete }: RangeAsk,
  { signal }: WorkContext,
): Promise<RangeAnswer | null> {
  const timeline = await timelineOf(c)
  if (timeline === null) return null
  const view = await viewOf(timeline, asked, signal)
  const range = await rangeOf(timeline, view, window, { order, top, complete })
  const listed = <Row>(rows: Row[] | null): Ranked<Row> => ({
    ...{ rows: (rows ?? []).slice(0, top), of: rows?.length ?? null, exact: true },
  })
  return {
    window,
    totals: isAll(window) ? await totalsOf(view) : { ...range.totals, unknown: range.unknown, untimed: null },
    hosts: rankedOf(range.hosts),
    ports: rankedOf(range.ports),
    sensors: listed(range.sensors),
    actions: listed(range.actions),
    protocols: listed(range.protocols.map(row => ({ ...row, name: protocolText(row.protocol) }))),
  }
}

type RangeOf = Pick<Range, 'totals' | 'unknown' | 'hosts' | 'ports' | 'sensors' | 'actions' | 'protocols'>

/** All of the view where the window has no bound: those without a time too. */
async function rangeOf(
  timeline: Timeline,
  view: View,
  window: WindowAsk,
  options: Parameters<View['range']>[1],
): Promise<RangeOf> {
  const bounds = isAll(window) ? null : windowOf(timeline, window)
  return view.range(bounds, options)
}

function rankedOf<Row>({ rows, count, exact }: Page<Row>): Ranked<Row> {
  return { rows, of: count, exact }
}

async function hostsAnswer(
  c: Case,
  { view: asked, window, order, top }: HostsAsk,
  { signal }: WorkContext,
): Promise<HostsAnswer | null> {
  const timeline = await timelineOf(c)
  if (timeline === null) return null
  const view = await viewOf(timeline, asked, signal)
  const range = await rangeOf(timeline, view, window, { hostOrder: order, top, complete: true })
  const own = asked.own.flatMap(text => parsePrefix(text) ?? [])
  const { rows, ...rest } = rankedOf(range.hosts)
  const isOwn = (host: string | null): boolean | null => {
    const address = host === null ? null : parseAddress(host)
    return address === null ? null : isInternal(address, own)
  }
  return {
    ...rest,
    rows: rows.map(row => ({ ...row, internal: isOwn(row.host) })),
    totals: isAll(window) ? await totalsOf(view) : { ...range.totals, unknown: range.unknown, untimed: null },
  }
}

export const viewWork: Readonly<Record<string, Answerer<Case>>> = {
  'open timeline': opened,
  timeline: timelineAnswer,
  range: rangeAnswer,
  hosts: hostsAnswer,
  graph: graphAnswer,
}
