/** What a listing of S3 or CloudWatch Logs found, before anything is read. */
import type { Listed } from '../sources/remote.ts'
import { type Block, fact, facts, list, type Text, title } from './block.ts'
import { countText, integerText, sizeText, spanText } from './numbers.ts'

const namedAtMost = 5

/** In a line each. */
export function listedLines(listed: readonly Listed[]): string[] {
  return listed.map(one => {
    const [layouts, times] = [layoutsText(one), timesText(one)]
    return [`${one.uri}: ${countsText(one)}`, layouts, times, ...one.notes].filter(text => text !== '').join('; ')
  })
}

export function listedPage(listed: readonly Listed[]): Block[] {
  return listed.flatMap((one): Block[] => [
    title(one.uri),
    facts(
      (
        [
          ['objects', countsText(one)],
          ['layouts', layoutsText(one)],
          ['names', timesText(one)],
          ['accounts', manyText(one.accounts)],
          ['regions', manyText(one.regions)],
        ] as [string, Text][]
      )
        .filter(([, value]) => value !== '')
        .map(([name, value]) => fact(name, value)),
    ),
    ...(one.notes.length === 0 ? [] : [list(one.notes)]),
  ])
}

function countsText({ files, bytes, left_out, folders_left_out }: Listed): string {
  const found = `${countText(files.length, 'object')}${bytes === null ? '' : `, ${sizeText(bytes)}`}`
  if (left_out + folders_left_out === 0) return found
  return `${found} (left out by name: ${countText(left_out, 'object')}, ${countText(folders_left_out, 'folder')})`
}

function layoutsText({ layouts }: Listed): string {
  const named = layouts.slice(0, namedAtMost).map(({ name, files }) => `${integerText(files)} ${name}`)
  const more = layouts.length - named.length
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(' | ')
}

function timesText({ first, last }: Listed): string {
  return first === null ? '' : spanText(first, last)
}

function manyText(names: readonly string[]): string {
  const shown = names.slice(0, namedAtMost).join(', ')
  return names.length > namedAtMost ? `${shown} and ${integerText(names.length - namedAtMost)} more` : shown
}
