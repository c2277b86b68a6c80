/** The text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** The command as it was typed, but for its quotes. */
export function commandLine(): string {
  return ['tidemark', ...process.argv.slice(2)].map(quoted).join(' ')
}
