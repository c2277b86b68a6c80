/** Words and lines of a bash script. */

/** A word is made of texts as they are, variables of the script, and what one of its steps made. */
export type Word = string | WordPart[]
export type WordPart = string | { variable: string } | { made: string }

/** A text that the shell takes as it is (POSIX, "Single-Quotes"). */
export function shellString(text: string): string {
  return /^[A-Za-z0-9_./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * A text as the value of an option of the AWS CLI, which reads a file where it begins with `file://`, and takes what begins with `-` for another
 * option: a space before it makes it a text again.
 */
export function optionText(text: string): string {
  return /^(-|fileb?:|https?:)/i.test(text) ? ` ${text}` : text
}

export function shellWord(word: Word): string {
  if (typeof word === 'string') return shellString(word)
  return word
    .map(part => {
      if (typeof part === 'string') return part === '' ? '' : shellString(part)
      return 'variable' in part ? `"$${part.variable}"` : `"$(id_of ${part.made})"`
    })
    .join('')
}

/** One command, on one line. */
export function commandLine(...words: Word[]): string {
  return words.map(shellWord).join(' ')
}

/** A place in JSON for what the script puts in: an id within quotes, or JSON. */
export interface Hole {
  hole: WordPart
  quoted: boolean
}

export type JsonValue = string | number | boolean | Hole | JsonValue[] | { [key: string]: JsonValue }

/** JSON as one word. Texts are escaped; an id that the script puts in has nothing to escape. */
export function jsonWord(value: JsonValue): Word {
  const word: WordPart[] = []
  for (const part of jsonParts(value)) {
    const last = word.at(-1)
    if (typeof last === 'string' && typeof part === 'string') word[word.length - 1] = last + part
    else word.push(part)
  }
  return word
}

function jsonParts(value: JsonValue): WordPart[] {
  if (Array.isArray(value)) return ['[', ...between(value.map(jsonParts)), ']']
  if (typeof value !== 'object') return [JSON.stringify(value)]
  if (isHole(value)) return value.quoted ? ['"', value.hole, '"'] : [value.hole]
  const entries = Object.entries(value).map(([key, item]) => [`${JSON.stringify(key)}:`, ...jsonParts(item)])
  return ['{', ...between(entries), '}']
}

function between(items: WordPart[][]): WordPart[] {
  return items.flatMap((item, i) => (i > 0 ? [',', ...item] : item))
}

function isHole(value: Exclude<JsonValue, string | number | boolean | JsonValue[]>): value is Hole {
  return 'hole' in value
}
