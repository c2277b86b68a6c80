import { errorCode, errorText } from './errors.ts'

/** What the machine refused, in words, and what to do about it. */
export interface SystemFailure {
  message: string
  /** The file or the module that it is about, if the error names one. */
  place: string | null
  hint: string
}

const space = 'free some space, or write to another disk (--case DIR for the case, TMPDIR for temporary files)'
const permissions = 'check who may read the evidence, and who may write the case and the temporary folder (TMPDIR)'
const threads =
  'close other programs, or raise the limits of processes and memory (ulimit -u, ulimit -v, or those of the container)'
const memory = 'close other programs, raise the limit (ulimit -v, or that of the container), or narrow the question'
const name = 'check the name'
const install = 'reinstall it: npm ci in a checkout, npm install -g tidemark elsewhere'

/** The words for each code; `text` is what the C library says, which DuckDB passes on without the code. */
const systemErrors: Record<string, { message: string; hint: string; text?: string }> = {
  ENOSPC: { message: 'no space left on the device', hint: space, text: 'No space left on device' },
  EDQUOT: { message: 'the disk quota is used up', hint: space, text: 'Disk quota exceeded' },
  EFBIG: {
    message: 'the file becomes larger than is allowed',
    hint: 'raise the limit (ulimit -f unlimited), or use a file system that takes larger files',
    text: 'File too large',
  },
  EACCES: { message: 'permission denied', hint: permissions, text: 'Permission denied' },
  EPERM: { message: 'not permitted', hint: permissions, text: 'Operation not permitted' },
  EROFS: {
    message: 'the file system is read-only',
    hint: 'write somewhere else (--case DIR for the case, TMPDIR for temporary files)',
    text: 'Read-only file system',
  },
  ENOENT: { message: 'no such file or folder', hint: name, text: 'No such file or directory' },
  ENOTDIR: { message: 'a file where a folder is expected', hint: name, text: 'Not a directory' },
  EEXIST: { message: 'something else has that name', hint: name },
  EISDIR: { message: 'a folder where a file is expected', hint: name, text: 'Is a directory' },
  ENOTEMPTY: {
    message: 'the folder is not empty',
    hint: 'another program writes into it: let it finish, then try again',
  },
  ELOOP: {
    message: 'its links lead in a circle',
    hint: 'name the file itself',
    text: 'Too many levels of symbolic links',
  },
  ENAMETOOLONG: { message: 'the name is too long', hint: 'use a shorter folder name', text: 'File name too long' },
  EXDEV: { message: 'the file would move to another file system', hint: 'keep the whole case on one file system' },
  EMFILE: {
    message: 'too many open files',
    hint: 'raise the limit: ulimit -n 4096',
    text: 'Too many open files',
  },
  ENFILE: {
    message: 'too many open files on this machine',
    hint: 'close other programs',
    text: 'Too many open files in system',
  },
  EIO: {
    message: 'the device failed to read or write',
    hint: 'copy the evidence, or the case, to a sound disk and try again there',
    text: 'Input/output error',
  },
  ENXIO: { message: 'no such device', hint: name },
  ENODEV: { message: 'no such device', hint: name },
  ESTALE: {
    message: 'the file is gone from its server',
    hint: 'remount the file system',
    text: 'Stale file handle',
  },
  ETIMEDOUT: { message: 'the device did not answer in time', hint: 'check the disk or the network file system' },
  EBUSY: { message: 'in use by another program', hint: 'let the other program finish, then try again' },
  ETXTBSY: { message: 'in use by another program', hint: 'let the other program finish, then try again' },
  EPIPE: { message: 'the reader of the output has gone', hint: 'keep the other end of the pipe open' },
  ENOTSUP: { message: 'the file system does not support this', hint: 'use another file system' },
  EOPNOTSUPP: { message: 'the file system does not support this', hint: 'use another file system' },
  ENOSYS: { message: 'the system does not support this', hint: 'use another file system' },
  EAGAIN: {
    message: 'the system cannot start another process or thread',
    hint: threads,
    text: 'Resource temporarily unavailable',
  },
  ENOMEM: { message: 'not enough memory', hint: memory, text: 'Cannot allocate memory' },
  ERR_WORKER_INIT_FAILED: { message: 'a thread could not be started', hint: threads },
  ERR_WORKER_OUT_OF_MEMORY: { message: 'a thread used up its memory', hint: memory },
  ERR_MEMORY_ALLOCATION_FAILED: { message: 'not enough memory', hint: memory },
  ERR_DLOPEN_FAILED: { message: 'DuckDB cannot be loaded', hint: install },
  MODULE_NOT_FOUND: { message: 'a part of Tidemark is missing', hint: install },
  ERR_MODULE_NOT_FOUND: { message: 'a part of Tidemark is missing', hint: install },
}

/** What only a program that asks wrongly is told. */
const codesOfBugs = new Set(['EBADF', 'EFAULT', 'EINVAL', 'ENOTTY', 'ESPIPE'])

/** What V8 says when a buffer or a WebAssembly memory cannot be had: errors without a code. */
const noMemory =
  /^(?:Array buffer allocation failed|WebAssembly\.\w+\(\): (?:could not allocate|Out of memory)|Out of memory|Invalid array buffer length)|std::bad_alloc|Allocation failure/

/** In one line: what, and where. */
export function failureLine({ message, place }: SystemFailure): string {
  return place === null ? message : `${message}: ${place}`
}

/** The code of a system error, or the one that DuckDB's text stands for, which has none. */
export function systemCode(error: unknown): string | undefined {
  const code = errorCode(error)
  if (code !== undefined) return code
  const text = errorText(error)
  if (noMemory.test(text)) return 'ENOMEM'
  if (!/^(?:IO Error|Permission Error|TransactionContext Error|Error: IO Error)\b|std::system_error/.test(text)) {
    return text === 'Resource temporarily unavailable' ? 'EAGAIN' : undefined
  }
  const longestFirst = Object.entries(systemErrors).sort(
    ([, a], [, b]) => (b.text?.length ?? 0) - (a.text?.length ?? 0),
  )
  return longestFirst.find(([, words]) => words.text !== undefined && text.includes(words.text))?.[0]
}

/**
 * What an error says of the machine or its files, which the user can put right; null for what is a bug.
 *
 * The one place where such errors get their words. Who knows more of the file (that it is an output, a case, evidence) puts that beside them.
 */
export function systemFailure(error: unknown): SystemFailure | null {
  const outOfMemory = duckdbMemory(errorText(error))
  if (outOfMemory !== null) return outOfMemory
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    return { message: 'the working folder no longer exists', place: null, hint: 'change to a folder that exists: cd' }
  }
  const code = systemCode(error)
  if (code === undefined || codesOfBugs.has(code)) return null
  const words = systemErrors[code]
  if (words !== undefined) return { message: words.message, place: placeOf(error), hint: words.hint }
  // Errors of system calls have a number; those of Node's own checks, which tell of bugs, have none.
  if (!(error instanceof Error && 'errno' in error && 'syscall' in error)) return null
  return {
    message: `the system refused: ${error.message}`,
    place: null,
    hint: 'check the disk, the file system and the limits (ulimit -a)',
  }
}

/** What a system error says beside its text, for another thread: a message carries none of it. */
export type SystemDetails = Partial<Record<'code' | 'path' | 'syscall' | 'errno', string | number>>

export function systemDetails(error: unknown): SystemDetails {
  const names = ['code', 'path', 'syscall', 'errno'] as const
  const held = error instanceof Error ? (error as SystemDetails) : {}
  return Object.fromEntries(names.flatMap(name => (held[name] === undefined ? [] : [[name, held[name]]])))
}

/**
 * How a child process ended that gave no answer, in words.
 *
 * @param said what it wrote to standard error.
 */
export function howChildEnded(status: number | null, signal: string | null, said: string): string {
  if (/heap out of memory|process OOM|bad_alloc|Cannot allocate memory|out of memory/i.test(said))
    return 'it ran out of memory'
  if (signal === 'SIGKILL') return 'it was killed (SIGKILL), as the system does when memory runs out'
  if (signal !== null) return `signal ${signal}`
  return said.trim().split('\n')[0] || `status ${status}`
}

function placeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  if ('path' in error && typeof error.path === 'string') return error.path
  if (errorCode(error)?.startsWith('ERR_DLOPEN') || errorCode(error)?.endsWith('MODULE_NOT_FOUND')) {
    return error.message.split('\n')[0] ?? null
  }
  return /"(\/[^"]+)"/.exec(error.message)?.[1] ?? null
}

/** DuckDB's own limit, which it names: `failed to allocate data of size 16.0 MiB (511.9 MiB/512.0 MiB used)`. */
function duckdbMemory(text: string): SystemFailure | null {
  if (!/^(?:Error: )?Out of Memory Error/.test(text)) return null
  if (text.includes('max_temp_directory_size')) {
    return {
      message: 'no space left for temporary files',
      place: null,
      hint: 'free some space on the disk of the case, or narrow the query',
    }
  }
  const limit = /\/([\d.]+ [KMGT]?i?B) used\)/.exec(text)?.[1]
  return {
    message: `the query needs more memory than it may have${limit === undefined ? '' : `: ${limit}`}`,
    place: null,
    hint: 'narrow it (fewer addresses, a shorter time), or run it on a machine with more memory: a quarter of it is used',
  }
}
