/** An address list of whatever form. */
import { utcSeconds } from '../net/time.ts'
import type { EnrichmentFile, EnrichmentProblem } from './enrichment-file.ts'
import { type AddressList, ListEntries } from './list-entries.ts'
import { isJson, readJsonList } from './list-json.ts'
import { readTextList } from './list-text.ts'
import { listName, Problems, readSource } from './source-file.ts'

const megabytesMost = 256

export interface ReadList {
  list: AddressList
  file: EnrichmentFile
  problems: EnrichmentProblem[]
}

/** @throws UserError where the file cannot be read, or is no list. */
export function readList(path: string): ReadList {
  const { bytes, sha256 } = readSource(path, 'list', megabytesMost)
  const entries = new ListEntries()
  const problems = new Problems(path)
  if (isJson(bytes)) readJsonList(path, bytes, entries, problems)
  else readTextList(path, bytes, entries, problems)
  const { dated_us, leftOut, count } = entries
  const dated = dated_us === null ? null : utcSeconds(dated_us)
  const file: EnrichmentFile = {
    ...{ path, kind: 'list', sha256, entries: count, ...entries.span(), dated, left_out: leftOut },
  }
  return { list: entries.finish(listName(path), path), file, problems: problems.list() }
}
