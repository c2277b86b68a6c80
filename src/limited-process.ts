/** Child processes that may be killed at any time: under limits of the system, and without what the environment may hold of secrets. */
import { existsSync } from 'node:fs'

const prlimit = '/usr/bin/prlimit'

/** The command that runs another one with at most so many bytes of memory of its own, where the system has a command for that. */
export function limited(command: readonly string[], dataBytes: number): string[] {
  return existsSync(prlimit) ? [prlimit, `--data=${dataBytes}`, '--core=0', ...command] : [...command]
}

const kept = ['PATH', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH']

/** What a child of ours needs of the environment. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const present = kept.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return { ...Object.fromEntries(present), TZ: 'UTC', LC_ALL: 'C.UTF-8' }
}
