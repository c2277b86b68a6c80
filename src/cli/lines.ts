/** Prints lines of the evidence as they are: `path:line: text`, or JSON. */
import { exitStatus, UserError } from '../errors.ts'
import { countText, integerText } from '../report/numbers.ts'
import { visible } from '../report/text.ts'
import type { Case } from '../store/case.ts'
import type { Places, UnreadLines, VerbatimLine, VerbatimOptions } from '../verbatim/lines.ts'
import type { ReadingOptions } from './options.ts'
import { note, outputIsGone, print, printLines } from './output.ts'
import { type AwsCliOptions, awsOptionsOf } from './source-options.ts'

interface Options extends ReadingOptions, AwsCliOptions {
  json?: true
}

type Found = Iterable<Place> | AsyncIterable<Place>

interface Place {
  path: string
  line?: number
}

/** The places as those of lines. @throws UserError where they are packets. */
export async function linePlaces(found: Found): Promise<Places> {
  const { Places } = await import('../verbatim/lines.ts')
  const places = new Places()
  for await (const { path, line } of found) {
    if (line === undefined) {
      throw new UserError('the records of this case were made of packets: there are no lines', {
        hint: 'tidemark carve --finding F1 --of ADDRESS -o OUT.pcapng takes the packets',
        status: exitStatus.usage,
      })
    }
    places.add(path, line)
  }
  return places
}

/** Prints the lines at some places. @param head what a JSON document says before the lines. */
export async function showVerbatim(
  opened: Case,
  places: Places,
  head: object,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const [{ verbatimLines }, { JsonStream }] = await Promise.all([
    import('../verbatim/lines.ts'),
    import('../report/json.ts'),
  ])
  const document = options.json ? new JsonStream({ ...head, total: places.total }, 'lines') : null
  const limits = {
    ...(options.maxExpand !== undefined && { ratioMax: options.maxExpand }),
    ...(options.maxExpanded !== undefined && { bytesMax: options.maxExpanded }),
  }
  const unread: UnreadLines[] = []
  let shown = 0
  const show = (refetch: VerbatimOptions): Promise<void> =>
    printLines(verbatimLines(opened, places, { limits, signal, ...refetch }), one => {
      if ('unread' in one) {
        unread.push(one.unread)
        return ''
      }
      shown++
      return document === null ? lineText(one.line) : document.item(one.line)
    })
  if (opened.evidence.some(file => file.origin !== null)) await withRefetch(options, signal, show)
  else await show({})
  if (outputIsGone()) return
  if (document !== null) await print(document.end({ shown, unread }))
  await noteUnread(unread)
}

/** With what fetches objects again, and a folder for them that is gone afterwards. */
async function withRefetch(
  options: AwsCliOptions,
  signal: AbortSignal,
  work: (refetch: Pick<VerbatimOptions, 'refetch'>) => Promise<void>,
): Promise<void> {
  const [{ refetching }, { rm }, { temporaryFolder }] = await Promise.all([
    import('../sources/refetch.ts'),
    import('node:fs/promises'),
    import('../disk/temporary.ts'),
  ])
  const folder = temporaryFolder('lines')
  try {
    await work({ refetch: { fetch: refetching(awsOptionsOf(options), signal), folder } })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function lineText({ path, line, text }: VerbatimLine): string {
  return `${visible(path)}:${line}: ${visible(text)}\n`
}

async function noteUnread(unread: readonly UnreadLines[]): Promise<void> {
  if (unread.length === 0) return
  const lines = unread.reduce((sum, one) => sum + one.lines, 0)
  const named = unread
    .slice(0, 20)
    .map(one => `  ${visible(one.path)}: ${countText(one.lines, 'line')}: ${visible(one.problem)}`)
  const more = unread.length > named.length ? [`  … and ${integerText(unread.length - named.length)} more files`] : []
  await note([`tidemark: ${countText(lines, 'line is', 'lines are')} not shown`, ...named, ...more].join('\n'))
  process.exitCode ||= exitStatus.partly_read
}
