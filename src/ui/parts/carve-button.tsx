/** Has the packets that a filter matches carved out of the captures of the case. */
import type { JSX } from 'preact'
import type { RowsFileAsk } from '../../server/contract/files.ts'
import { ownNetworks } from '../api.ts'
import { SaveButton } from './save-file.tsx'

export function CarveButton({ label, filter, hint }: { label: string; filter: string; hint: string }): JSX.Element {
  const question: RowsFileAsk = {
    ...{ filter, raw: false, own: ownNetworks(), from: null, to: null },
    ...{ order: 'start', format: 'pcapng' },
  }
  return <SaveButton label={label} path="/api/rows/file" question={question} hint={hint} />
}
