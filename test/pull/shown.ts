/** A dossier to be compared with one of other files. */
import type { Dossier } from '../../src/investigate/dossier.ts'

/** Without positions of the evidence, and what says where the case lies. */
export function shown({ work: _w, ...dossier }: Dossier): unknown {
  const places = new Set(['basis', 'sql'])
  const all = JSON.parse(
    JSON.stringify(dossier, (name, value: unknown) => {
      if (name === 'basis' && Array.isArray(value)) return value.length
      if (name === 'log' && typeof value === 'string' && value.includes('/'))
        return value.replace(/.*\//, '').replaceAll(/\W/g, '_')
      return places.has(name) && typeof value === 'string' ? '' : typeof value === 'bigint' ? String(value) : value
    }),
  ) as { one_sided_logs: unknown[] }
  // Those without an id stand in the order of their paths.
  const inOrder = all.one_sided_logs.map(one => JSON.stringify(one)).sort()
  return { ...all, one_sided_logs: inOrder }
}
