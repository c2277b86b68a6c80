/** What explains the rejected records of a dossier. */
import type { Dossier, RejectTriage } from '../investigate/dossier.ts'
import { type Block, heading, line, list, paragraph, strong, type Text } from './block.ts'
import { listText } from './names.ts'
import { countText, integerText } from './numbers.ts'
import { placeText } from './places.ts'

type By = RejectTriage['explained'][number]['by']

export const rejectWords: Readonly<Record<By, string>> = {
  late: 'late',
  'return-path': 'of the way back',
  'block-public-access': 'stopped by Block Public Access',
  'encryption-control': 'stopped by Encryption Controls',
  group: 'refused by a security group',
  acl: 'refused by a network ACL',
  none: 'refused',
  'not-decidable': 'not decidable',
}

/** Each explanation with its records. */
export function rejectsBlocks({ rejects }: Pick<Dossier, 'rejects'>): Block[] {
  const { total, explained } = rejects
  if (total === 0) return []
  const items = explained.map(explainedText)
  return [
    heading('Rejected records'),
    paragraph(
      `${countText(total, 'record')}, as the sensors wrote them. REJECT alone is no sign of an attack: packets after the end of a connection are logged so too.`,
    ),
    list(items),
  ]
}

/** One explanation, with its records. */
export function explainedText({ by, reason, records, basis: [first] }: RejectTriage['explained'][number]): Text {
  const what = line`${strong(`${countText(records, 'record')}, ${rejectWords[by]}`)}: ${reason}`
  return first === undefined ? what : line`${what} (first ${placeText(first)}).`
}

/** One line where rejected records are something else than attempts that were refused. */
export function rejectsDoubt({ rejects }: Pick<Dossier, 'rejects'>): Text[] {
  const sum = (by: By): number => rejects.explained.reduce((total, one) => total + (one.by === by ? one.records : 0), 0)
  const kinds = [
    [sum('late'), 'came after the end of their connection'],
    [sum('return-path'), 'are answers that a network ACL refused'],
    [sum('block-public-access'), 'were stopped by Block Public Access'],
    [sum('encryption-control'), 'were stopped by Encryption Controls'],
  ] as const
  const named = kinds.filter(([records]) => records > 0).map(([records, what]) => `${integerText(records)} ${what}`)
  if (named.length === 0) return []
  return [
    `Not every REJECT is an attempt that was refused: of ${countText(rejects.total, 'rejected record')}, ${listText(named)}.`,
  ]
}
