/** JSON whose integers are exact: those beyond 2^53 are bigints in memory and plain digits in the text. */
import { randomUUID } from 'node:crypto'

/** Stands before the digits of a bigint where JSON has strings only; nobody who writes evidence can know it. */
const mark = `${randomUUID()}:`
const markedDigits = new RegExp(`"${mark}(-?\\d+)"`, 'g')
const isLarge = /[:[,]-?\d{16,}[,\]}]/

/** The text of a value, on one line. */
export function exactJson(value: unknown): string {
  let found = false
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'bigint') return part
    found = true
    return `${mark}${part}`
  })
  return found ? text.replace(markedDigits, '$1') : text
}

/** What such a text says. @throws SyntaxError where it is not JSON. */
export function parseExactJson(text: string): unknown {
  if (!isLarge.test(text)) return JSON.parse(text)
  return JSON.parse(withMarks(text), (_, part: unknown) =>
    typeof part === 'string' && part.startsWith(mark) ? exactInteger(part.slice(mark.length)) : part,
  )
}

function exactInteger(digits: string): number | bigint {
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}

/** The text with its long integers as marked strings. */
function withMarks(text: string): string {
  const parts: string[] = []
  const token = /"|(?<=[:[,])-?\d{16,}(?=[,\]}])/g
  let from = 0
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '"') {
      token.lastIndex = endOfString(text, found.index + 1)
      continue
    }
    parts.push(text.slice(from, found.index), `"${mark}${found[0]}"`)
    from = token.lastIndex
  }
  parts.push(text.slice(from))
  return parts.join('')
}

/** Where the string ends whose content begins at `at`: after its closing quotation mark. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}
