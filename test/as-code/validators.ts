/** Parsers and validators of the field, where they are installed: `.ci/run` says how. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { repoRoot } from '../repo.ts'
import type { Call } from './read-back.ts'

/** A Python that has cfn-lint and the AWS CLI: the one that `.ci/run` makes, or the first of PATH; null where there is none. */
export const python =
  [join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tidemark-ci', 'bin', 'python'), 'python3'].find(
    hasTools,
  ) ?? null

export const withoutPython = { skip: python === null && 'no Python with cfn-lint and awscli: .ci/run installs them' }

function hasTools(path: string): boolean {
  if (path.startsWith('/') && !existsSync(path)) return false
  const script = 'import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in ("cfnlint", "awscli")))'
  return spawnSync(path, ['-c', script]).status === 0
}

export interface CheckedTemplate {
  found: string[]
  read: Record<string, unknown>
}

/** What the AWS CLI says against a command, or what it would send. */
export type CheckedCommand =
  | { error: string }
  | { error: null; service: string; operation: string; parameters: Record<string, unknown> }

/** All of them in one process: cfn-lint and the AWS CLI take a second to load. */
export function check(asked: { templates: string[]; commands: string[][] }): {
  templates: CheckedTemplate[]
  commands: CheckedCommand[]
} {
  const env = { ...process.env, AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true', PYTHONUTF8: '1' }
  const options = { input: JSON.stringify(asked), encoding: 'utf8', maxBuffer: 1 << 28, env } as const
  const { status, stdout, stderr } = spawnSync(python!, [join(repoRoot, 'test', 'as-code', 'check.py')], options)
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

/** Answers of AWS, and a note of each command: its count of words and the words, each ended by NUL. */
const answering = `() {
  case "$*" in
  *--dry-run*)
    printf 'An error occurred (DryRunOperation)\\n' >&2
    return 254
    ;;
  esac
  printf '%s\\0' "$#" "$@" >>"$AWS_LOG"
  case "$1 $2" in
  'sts get-caller-identity') printf '%s\\n' "$AWS_ACCOUNT" ;;
  'ec2 describe-security-group-rules') printf '[\\n    "sgr-default"\\n]\\n' ;;
  'ec2 describe-network-interfaces') printf '[\\n    "sg-other"\\n]\\n' ;;
  *' describe-alarms' | *' describe-metric-filters' | *' get-web-acl-for-resource') printf '%s' "\${AWS_THERE-}" ;;
  *' put-'* | *' delete-'*) ;;
  *) printf 'id-%020d\\n' "$(tr -cd '\\0' <"$AWS_LOG" | wc -c | tr -d ' ')" ;;
  esac
}`

/** A command, and the id that the test's own AWS answers with where it makes something. */
export interface Asked {
  words: string[]
  answer: string
}

export interface Run {
  status: number | null
  stdout: string
  stderr: string
  /** What would have reached AWS, in its order. */
  commands: Asked[]
  /** Lines of the state file, by step; null where there is none. */
  state: Map<string, string> | null
}

/** Runs a script in a folder, with an `aws` that answers and notes instead of the real one. */
export function runScript(folder: string, script: string, args: string[], answers: Record<string, string> = {}): Run {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'controls.sh')
  const log = join(folder, 'aws.log')
  writeFileSync(path, script)
  writeFileSync(log, '')
  const env = { ...process.env, AWS_LOG: log, AWS_ACCOUNT: '123456789010', 'BASH_FUNC_aws%%': answering, ...answers }
  const { status, stdout, stderr } = spawnSync('bash', [path, ...args], { encoding: 'utf8', env, cwd: folder })
  const state = existsSync(`${path}.state`) ? readFileSync(`${path}.state`, 'utf8') : null
  return {
    status,
    stdout,
    stderr,
    commands: commandsOf(readFileSync(log, 'utf8')),
    state: state === null ? null : stateOf(state),
  }
}

function commandsOf(log: string): Asked[] {
  const words = log.split('\0').slice(0, -1)
  const commands: Asked[] = []
  for (let i = 0; i < words.length; ) {
    const end = i + 1 + Number(words[i])
    commands.push({ words: ['aws', ...words.slice(i + 1, end)], answer: `id-${String(end).padStart(20, '0')}` })
    i = end
  }
  return commands
}

function stateOf(text: string): Map<string, string> {
  const lines = text
    .trimEnd()
    .split('\n')
    .filter(line => line !== '')
  return new Map(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

/** The script with every empty variable filled in and every step asked for. */
export function filledIn(script: string): string {
  const at = script.indexOf('\nmode=plan\n')
  const variables = script
    .slice(0, at)
    .replace(/^([A-Z0-9_]+)=''$/gm, '$1=arn:filled:by:the:test:$1')
    .replace(/^(ATTACH_[A-Z0-9]+)=no$/gm, '$1=yes')
  return variables + script.slice(at)
}

/** What the script made, by the answers that it noted: only steps that are a whole control have a name without `_`. */
export function madeIn({ state }: Run): Map<string, string> {
  return new Map([...(state ?? [])].flatMap(([step, answer]) => (/^c\d+$/.test(step) ? [[answer, step] as const] : [])))
}

/** Calls of the commands; fails on the first that the AWS CLI refuses. */
export function callsOf(commands: readonly Asked[], checked: readonly CheckedCommand[]): Call[] {
  return commands.map(({ words, answer }, i) => {
    const one = checked[i]!
    if (one.error !== null) return assert.fail(`${JSON.stringify(words)}: ${one.error}`)
    return { operation: one.operation, parameters: one.parameters, answer }
  })
}
