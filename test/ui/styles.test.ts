import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repoRoot } from '../repo.ts'

const ui = join(repoRoot, 'src', 'ui')

test('the page loads the styles of every part, the colours first', () => {
  const sheets = readdirSync(ui, { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.css') && name !== 'all.css',
  )
  const loaded = readFileSync(join(repoRoot, 'build', 'src', 'ui', 'app.css'), 'utf8')
  assert.ok(loaded.startsWith(':root{'))
  for (const sheet of sheets)
    for (const [, name] of readFileSync(join(ui, sheet), 'utf8')
      .replace(/\/\*.*?\*\//gs, '')
      .matchAll(/\.([a-z][\w-]*)(?=[ ,{:.[>])/g))
      assert.ok(loaded.includes(`.${name}`), `${sheet}: .${name}`)
})

test('each colour is there for light and for dark', () => {
  const [light, dark] = readFileSync(join(ui, 'theme.css'), 'utf8').match(/:root[^{]*\{[^}]*\}/g)!
  const names = (block: string): string[] => [...block.matchAll(/(--[\w-]+):/g)].map(([, name]) => name!).sort()
  assert.deepEqual(names(light!), names(dark!))
})

test('text is 4.5:1 beside every ground that it stands on, and what can be used 3:1', () => {
  const blocks = readFileSync(join(ui, 'theme.css'), 'utf8').match(/:root[^{]*\{[^}]*\}/g)!
  for (const block of blocks.slice(0, 2)) {
    const colours = new Map(
      [...block.matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]),
    )
    const ratio = (one: string, other: string): number => contrast(colours.get(one)!, colours.get(other)!)
    const grounds = ['--page', '--raised', '--hover', '--chosen']
    for (const ground of grounds)
      for (const text of ['--text', '--muted', '--link'])
        assert.ok(ratio(text, ground) >= 4.5, `${text} on ${ground}: ${ratio(text, ground)}`)
    for (const text of ['--text', '--muted', '--error']) assert.ok(ratio(text, '--error-page') >= 4.5, text)
    for (const text of ['--text', '--muted', '--warning']) assert.ok(ratio(text, '--warning-page') >= 4.5, text)
    const drawn = [
      '--edge',
      '--accepted',
      '--rejected',
      '--series-1',
      '--series-2',
      '--series-3',
      '--series-4',
      '--series-5',
      '--series-other',
    ]
    for (const line of drawn) assert.ok(ratio(line, '--page') >= 3, `${line}: ${ratio(line, '--page')}`)
  }
})

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light! + 0.05) / (dark! + 0.05)
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map(at => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
