/** What an analyst's own rule is given to work with: the pieces that the rules here are made of. */
import { noPort } from '../conversations/services.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, servicesIn } from './connections.ts'
import { densities, distinctWithin, grouped, median, spreadOf } from './numbers.ts'
import { decided, distinct, sureness } from './rule.ts'
import { endText } from './words.ts'

/**
 * Pieces for rules: the values of `outcome` and `mark`, runs of connections (`clientsOf`, `servicesIn`), thresholds with their reasons
 * (`decided`), names of ATT&CK (`technique`, `techniques`), robust statistics and sliding windows, and how sure a finding on some connections
 * can be (`sureness`).
 */
export const ruleTools = {
  ...{ outcome, mark, noPort, clientsOf, servicesIn, decided, distinct, sureness, endText, technique, techniques },
  ...{ median, spreadOf, distinctWithin, densities, grouped },
} as const

export type RuleTools = typeof ruleTools
