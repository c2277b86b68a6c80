/** `--anonymise`, of every command that writes records for others. */
import { visible } from '../report/text.ts'
import { note } from './output.ts'

/** Says it where the key is no secret. */
export async function warnOfKeyFile(path: string): Promise<void> {
  const { isReadByOthers } = await import('../anonymise/key-file.ts')
  if (!isReadByOthers(path)) return
  const name = visible(path)
  await note(`tidemark: warning: others may read ${name}: who has the key can undo --anonymise (chmod 600 ${name})`)
}
