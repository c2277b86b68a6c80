/**
 * The parser library, Chevrotain, from the one file that its package bundles.
 *
 * Its usual door reads some 700 files, most of lodash-es: 400 ms where the bundle takes 30. The version is pinned, so the file is there.
 */
const bundle = new URL('../chevrotain.min.mjs', import.meta.resolve('chevrotain')).href

export const { createToken, EmbeddedActionsParser, EOF, Lexer } = (await import(bundle)) as typeof import('chevrotain')
