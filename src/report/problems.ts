import { type Block, command, inset, limited, line, paragraph, path, type Text } from './block.ts'
import { integerText } from './numbers.ts'

/** A place in the evidence that is in no record; without line and offset, the whole file. */
export interface Problem {
  path: string
  line?: number
  line_to?: number
  offset?: number
  problem: string
}

const perFile = 20

/** Problems by file, at most 20 of each file; neighbours with the same words share a line. */
export function problemBlocks(problems: readonly Problem[], filesAtMost = Number.POSITIVE_INFINITY): Block[] {
  const byPath = new Map<string, Problem[]>()
  for (const problem of problems) {
    const known = byPath.get(problem.path)
    if (known) known.push(problem)
    else byPath.set(problem.path, [problem])
  }
  const files = [...byPath].map(([name, own]): Block[] => {
    const left = own.length - perFile
    const texts = [...merged(own.slice(0, perFile)), ...(left > 0 ? [moreText(left)] : [])]
    return [paragraph(path(name)), inset(2, texts.map(paragraph))]
  })
  return limited(files, filesAtMost, left => [paragraph(moreText(left, ' files'))]).flat()
}

export function moreText(left: number, what = '', listing = 'tidemark evidence --json'): Text {
  return line`… and ${integerText(left)} more${what}: ${command(listing)} lists all`
}

function merged(problems: readonly Problem[]): string[] {
  const groups: { places: string[]; several: boolean; problem: string }[] = []
  for (const { line, line_to, offset, problem } of problems) {
    const last = groups.at(-1)
    if (line === undefined) {
      const place = offset === undefined ? '' : `at byte ${integerText(offset)}: `
      groups.push({ places: [], several: false, problem: `${place}${problem}` })
      continue
    }
    const place = line_to === undefined || line_to === line ? `${line}` : `${line}–${line_to}`
    const several = place !== `${line}`
    if (last && last.places.length > 0 && last.problem === problem) {
      last.places.push(place)
      last.several = true
    } else groups.push({ places: [place], several, problem })
  }
  return groups.map(({ places, several, problem }) =>
    places.length === 0 ? problem : `line${several ? 's' : ''} ${places.join(', ')}: ${problem}`,
  )
}
