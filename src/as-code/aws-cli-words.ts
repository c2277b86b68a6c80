/** Words of the script's lines: commands of the AWS CLI, steps, variables. */
import type { Variable } from './plan.ts'
import { commandLine, jsonWord, optionText, type Word } from './shell.ts'

export function comments(lines: readonly string[]): string[] {
  return lines.map(line => `# ${line}`.trimEnd())
}

/** `vpc_id` is VPC_ID. */
export function shellName({ name }: Variable): string {
  return name.toUpperCase()
}

/** Words of a command; options without a value are left out. */
export function aws(service: string, operation: string, options: [string, Word | null][], more: Word[] = []): Word[] {
  return [
    'aws',
    service,
    operation,
    ...options.flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value])),
    ...more,
  ]
}

export function step(kind: 'make' | 'undo' | 'keep' | 'absent', name: string, command: Word[]): string {
  return commandLine(kind, name, ...command)
}

export function of(variable: Variable): Word {
  return [{ variable: shellName(variable) }]
}

export function made(name: string): Word {
  return [{ made: name }]
}

export function option(text: string): Word {
  return optionText(text)
}

export function named(type: string, name: string): Word {
  return jsonWord([{ ResourceType: type, Tags: [{ Key: 'Name', Value: name }] }])
}
