/** Texts of the report as the page shows them: the words are the same, wherever they stand. */
import { inlines, type Text } from '../report/block.ts'
import type { Words } from './contract/words.ts'

export function wordsOf(text: Text): Words {
  return inlines(text).map(one => (typeof one === 'string' ? one : { kind: one.kind, text: one.text }))
}
