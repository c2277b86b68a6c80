/** An HTML document in one file: it needs nothing else, and its policy lets it load and run nothing else. */
import { createHash } from 'node:crypto'
import { type Block, plainText } from './block.ts'
import { sectionElement, sectionsOf, titleMarkup } from './html.ts'
import { script } from './html-script.ts'
import { style } from './html-style.ts'
import { type Element, element, markupText } from './html-text.ts'

export interface HtmlPageOptions {
  /** Of the window. */
  title: string
  /** The program and its version. */
  generator: string
  /** Without them, tables are not sorted and commands not copied; nothing else is missing. */
  scripts?: boolean
}

export function htmlPage(blocks: readonly Block[], { title, generator, scripts = true }: HtmlPageOptions): string {
  const [top, ...sections] = sectionsOf(blocks)
  const contents = element(
    'nav',
    { 'aria-labelledby': 'contents' },
    element('h2', { id: 'contents' }, 'Contents'),
    element(
      'ol',
      {},
      ...sections.map(one => element('li', {}, element('a', { href: `#${one.id}` }, ...titleMarkup(one.title!)))),
    ),
  )
  const body = element(
    'body',
    {},
    element('a', { class: 'skip', href: '#content' }, 'Skip to the content'),
    sectionElement(top!),
    contents,
    element('main', { id: 'content' }, ...sections.map(sectionElement)),
    ...(scripts ? [element('script', {}, script)] : []),
  )
  const page = element('html', { lang: 'en' }, headElement(title, generator), body)
  return `<!doctype html>\n${markupText(page)}`
}

function headElement(title: string, generator: string): Element {
  const policy = [
    "default-src 'none'",
    `style-src '${digest(style)}'`,
    `script-src '${digest(script)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
    element('meta', { name: 'referrer', content: 'no-referrer' }),
    element('meta', { name: 'generator', content: generator }),
    element('link', { rel: 'icon', href: 'data:,' }),
    element('title', {}, plainText(title)),
    element('style', {}, style),
  )
}

/** As a policy names what an element may hold. */
function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
