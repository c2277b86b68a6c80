/** Has packets carved out of the captures of the case, and says what they are. */
import type { JSX } from 'preact'
import type { PacketsFile, PacketsFileAsk } from '../../server/contract/files.ts'
import { ownNetworks } from '../api.ts'
import { bytesText, countText, visible } from '../text.ts'
import { SaveButton } from './save-file.tsx'

interface Props {
  label: string
  /** What the file is called after. */
  name: string
  of: PacketsFileAsk['of']
  hint: string
}

export function CarveButton({ label, name, of, hint }: Props): JSX.Element {
  const question: PacketsFileAsk = { name, own: ownNetworks(), of }
  return (
    <SaveButton<PacketsFile> label={label} path="/api/packets/file" question={question} hint={hint}>
      {file => <Carved file={file} />}
    </SaveButton>
  )
}

function Carved({
  file: { name, bytes, packets, cut, sha256, command, connections },
}: {
  file: PacketsFile
}): JSX.Element {
  return (
    <span class="muted" role="status">
      {visible(name)}, {bytesText(bytes)}: {countText(packets)} packets
      {cut === 0 ? ', all whole' : `, ${countText(cut)} of them cut by the snap length`}.
      {connections !== null && (
        <>
          {' '}
          Of {countText(connections.captured)} of its {countText(connections.total)} connections
          {connections.without.map(({ why, connections: count }) => `; none of ${countText(count)}: ${why}`).join('')}.
        </>
      )}{' '}
      SHA-256 <code>{sha256}</code>
      <br />
      The same: <code class="command">{visible(command)}</code>
    </span>
  )
}
