/** Another workbench on the same case: adds notes, one after the other. */
import { changedNotes } from '../../src/server/notes.ts'

const [folder = '', name = '', count = '0'] = process.argv.slice(2)
for (let i = 0; i < Number(count); i++) {
  const about = { kind: 'view', text: 'Overview' } as const
  const { conflict } = await changedNotes(folder, { do: 'add-note', text: `${name} ${i}`, about, url: '/' }, new Date())
  if (conflict !== null) throw new Error(conflict)
}
