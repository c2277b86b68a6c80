/** What `tidemark detect` is told of its rules: which ones, the thresholds in force, those of the user's own. */
import type { Command } from 'commander'
import type { Detections, DetectOptions } from '../detect/detect.ts'
import { exitStatus } from '../errors.ts'
import { visible } from '../report/text.ts'
import { Option } from './commander.ts'
import { collectText, parseFolder } from './options.ts'
import { note, print, printPage } from './output.ts'

export interface RuleOptions {
  rule?: string[]
  /** A folder. */
  rules?: string
  set?: string[]
  listRules?: true
}

export function addRuleOptions(command: Command): Command {
  return addRuleChoice(command).option('--list-rules', 'list the rules with their thresholds, and do nothing else')
}

/** Which rules run, and with which thresholds. */
export function addRuleChoice(command: Command): Command {
  return command
    .addOption(new Option('--rule <name>', 'only one rule: D01 or D01-scan (repeatable)').argParser(collectText))
    .addOption(
      new Option(
        '--set <threshold>',
        'another threshold: D01.targetsMin=20; ports: D18.exposedPorts=22,3389 (repeatable)',
      ).argParser(collectText),
    )
    .addOption(
      new Option(
        '--rules <folder>',
        'run your own rules too: .js and .mjs files, code that runs with your rights',
      ).argParser(parseFolder),
    )
}

/** What they are for the library. */
export function askedRules({ rule, rules, set }: RuleOptions): Pick<DetectOptions, 'rules' | 'set' | 'ownRules'> {
  return {
    ...(rule !== undefined && { rules: rule }),
    ...(set !== undefined && { set }),
    ...(rules !== undefined && { ownRules: rules }),
  }
}

/** Prints the rules with the thresholds in force. @throws UserError */
export async function printRules(options: RuleOptions & { json?: true; color: boolean }): Promise<void> {
  const { listedRules } = await import('../detect/detect.ts')
  const list = await listedRules(askedRules(options))
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    return print(toJson(list))
  }
  const { rulesPage } = await import('../report/rule-list.ts')
  await printPage(rulesPage(list), options.color)
}

/** Names the rules of the user's own that failed, and sets the status of an answer that is not whole. */
export async function reportFailedRules({ rules_failed: failed }: Pick<Detections, 'rules_failed'>): Promise<void> {
  if (failed.length === 0) return
  const lines = failed.map(({ path, rule, problem }) => `  ${visible(path)}: ${visible(rule)}: ${visible(problem)}`)
  await note(['tidemark: rules of your own failed; what they found is not used', ...lines].join('\n'))
  process.exitCode ||= exitStatus.partly_read
}
