/** What `remove` took out of a case, or put back. */
import type { RemoveReport } from '../store/reports.ts'
import { type Block, limited, line, list, paragraph, path, strong, type Text, title } from './block.ts'
import { countText, integerText } from './numbers.ts'

const filesShownMax = 20

/** `172,211 of logs + 8,802 of packets`: both may count the same traffic. */
export function heldText(r: Pick<RemoveReport, 'case_records' | 'case_metered_records'>): string {
  const logs = r.case_records - r.case_metered_records
  if (logs === 0 || r.case_metered_records === 0) return integerText(r.case_records)
  return `${integerText(logs)} of logs + ${integerText(r.case_metered_records)} of packets`
}

export function removedPage(r: RemoveReport): Block[] {
  const records = r.files.reduce((sum, file) => sum + file.records, 0)
  const what = `${countText(r.files.length, 'file')} with ${countText(records, 'flow record')}`
  const done = r.restored ? `Put back into ${r.case}: ${what}` : `Removed from ${r.case}: ${what}`
  const files = r.files.map(
    (file): Text => line`${path(file.path)}: ${countText(file.records, 'record')}, ${file.status}`,
  )
  const more = (left: number): Text => `… and ${integerText(left)} more: --json lists all`
  const undo = r.restored ? '' : ' Nothing was erased: tidemark remove --undo puts it back.'
  return [
    title(strong(done)),
    list(limited(files, filesShownMax, more)),
    paragraph(`Flow records in the case now: ${heldText(r)}.${undo}`),
  ]
}
