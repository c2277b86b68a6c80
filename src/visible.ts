/**
 * What a terminal obeys, reorders or does not show: controls, bidirectional and other format characters, line
 * and paragraph separators, lone surrogates, fillers and variation selectors, and code points that are no characters.
 */
export const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu

/** Marks on one base beyond the fourth: enough of them paint over the lines above and below. */
const piledMarks = /(?<=\p{M}{4})\p{M}/gu

/** Evidence text with nothing in it that a terminal would obey or hide, in one line: `\x1b`, `\u202e`, `\u{e0041}`. */
export function visible(text: string): string {
  return text.replace(hidden, escapeCharacter).replace(piledMarks, escapeCharacter)
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}
