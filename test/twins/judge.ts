/** What a `detect` document says of a scenario: the same questions as those of a scorer of labelled sets. */
import type { CaseFinding, Detections } from '../../src/index.ts'
import type { Played } from './generator.ts'

const severities = ['info', 'low', 'medium', 'high', 'critical']
/** Rules whose subject is the victim. */
const ofVictims = ['D07', 'D15', 'D18']
/** Seconds that a finding may be off in time. */
const slack = 600

export type Told = Pick<Detections, 'findings' | 'not_decidable'>

const ruleOf = (name: string): string => name.slice(0, 3)
const seconds = (time: string): number => Date.parse(time) / 1000

/** Whether a finding is of one of the attack's rules, its hosts and its time. */
export function isFound({ attack, first, last }: Played, { findings }: Told): boolean {
  if (attack === undefined) return false
  const { rules, actors, targets, victims = [], minSeverity = 'low' } = attack
  return findings.some(finding => {
    const { rule, severity, subject, peers, first_start, last_end } = finding
    if (!rules.includes(ruleOf(rule))) return false
    if (severities.indexOf(severity) < severities.indexOf(minSeverity)) return false
    const isActor = subject.some(host => actors.includes(host))
    const isVictim = ofVictims.includes(ruleOf(rule)) && subject.some(host => [...victims, ...targets].includes(host))
    if (!isActor && !isVictim) return false
    if (isActor && ![...peers, ...subject].some(host => targets.includes(host))) return false
    return seconds(first_start!) <= last + slack && seconds(last_end!) >= first - slack
  })
}

/** What the document says of why a rule cannot decide. */
export function reasonsOf({ attack }: Played, { not_decidable }: Told): string[] {
  const rules = attack?.rules ?? []
  return not_decidable.filter(({ rule }) => rules[0] === ruleOf(rule)).map(({ reason }) => reason)
}

/** Findings that accuse a host that must not be. */
export function falseAlarms({ benign, scanners = [], isExplained = false }: Played, { findings }: Told): CaseFinding[] {
  return findings.filter(({ rule, severity, subject, counter_hypotheses }) => {
    if (ruleOf(rule) === 'D00' || severity === 'info') return false
    if (!subject.some(host => benign.includes(host))) return false
    const isScanner = isExplained || subject.some(host => scanners.includes(host))
    return !(isScanner && (severity === 'low' || counter_hypotheses.join(' ').toLowerCase().includes('scanner')))
  })
}
