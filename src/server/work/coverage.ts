/** Answers: when which sensor recorded. */
import { countedMap } from '../../investigate/coverage-map.ts'
import type { Case } from '../../store/case.ts'
import { isMetered, isUnread } from '../../store/reports.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { Asked } from '../contract/common.ts'
import type { Beside, CoverageAnswer, CoverageAsk } from '../contract/coverage.ts'

/** Files that are named. */
const unreadMax = 20

async function coverageAnswer(
  c: Case,
  { zoom, bins, sensors }: CoverageAsk,
  { signal }: WorkContext,
): Promise<CoverageAnswer> {
  const map = await countedMap(c, { ...zoom, binsMax: bins, sensorsMax: sensors }, signal)
  return { map, beside: besideOf(c, map.timed), asked: askedOf(c, map.bin_seconds) }
}

function besideOf({ evidence, source }: Case, timed: number): Beside {
  const own = evidence.filter(file => isMetered(file) === (source === 'packets'))
  const malformed = evidence.filter(file => file.malformed > 0)
  const unread = evidence.filter(file => isUnread(file) || file.status === 'partly-read')
  return {
    untimed: own.reduce((sum, { records }) => sum + records, 0) - timed,
    malformed: malformed.reduce((sum, file) => sum + file.malformed, 0),
    malformed_files: malformed.length,
    unread: unread.slice(0, unreadMax).map(({ path, status, problem }) => ({ path, problem: problem ?? status })),
    unread_total: unread.length,
  }
}

function askedOf(c: Case, seconds: number): Asked {
  const bin = seconds === 0 ? '' : ` -n 0 --bin ${seconds}s`
  return {
    sentence: 'records of each sensor, by when they begin',
    command: `${flowsCommand(c, { raw: true, by: ['sensor'], order: 'records' })}${bin}`,
    sql: 'SELECT * FROM coverage',
  }
}

export const coverageWork: Readonly<Record<string, Answerer<Case>>> = { coverage: coverageAnswer }
