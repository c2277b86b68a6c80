// Draws what a terminal shows as SVG, for light and dark screens.
//
//   FORCE_COLOR=1 COLUMNS=100 tidemark investigate ADDRESS | node scripts/terminal-svg.mjs TITLE > picture.svg
import { readFileSync } from 'node:fs'

const [title = ''] = process.argv.slice(2)
const width = { cell: 8.4, margin: 16 }
const height = { line: 19, bar: 36, margin: 12 }

/** Class of the text after a code of SGR; what is not here changes nothing. */
const styles = new Map([
  [1, 'bold'],
  [2, 'dim'],
  [31, 'red'],
  [32, 'green'],
  [33, 'yellow'],
  [34, 'blue'],
  [35, 'magenta'],
  [36, 'cyan'],
])

/** Text, and the code of SGR before it. */
const esc = String.fromCharCode(27)
const run = new RegExp(`(?:${esc}\\[([\\d;]*)m)?([^${esc}]*)`, 'g')

const lines = readFileSync(0, 'utf8').replace(/\n+$/, '').split('\n').map(runsOf)
const columns = Math.max(...lines.map(runs => runs.reduce((sum, { text }) => sum + [...text].length, 0)))
const size = {
  width: Math.ceil(columns * width.cell + 2 * width.margin),
  height: height.bar + lines.length * height.line + height.margin,
}
process.stdout.write(picture())

/** The pieces of a line that look alike. Colours end at each blank, where nobody sees it. */
function runsOf(line) {
  const runs = []
  let classes = new Set()
  for (const [, codes, text] of line.matchAll(run)) {
    for (const code of (codes ?? '').split(';').map(Number)) classes = after(classes, code, codes)
    const last = runs.at(-1)
    const look = [...classes].join(' ')
    if (last !== undefined && (last.look === look || text.trim() === '')) last.text += text
    else if (text !== '') runs.push({ text, look })
  }
  return runs
}

function after(classes, code, codes) {
  if (codes === undefined) return classes
  if (code === 0) return new Set()
  if (code === 22) return new Set([...classes].filter(name => name !== 'bold' && name !== 'dim'))
  if (code === 39) return new Set([...classes].filter(name => name === 'bold' || name === 'dim'))
  return styles.has(code) ? new Set([...classes, styles.get(code)]) : classes
}

function picture() {
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, i) => `<circle cx="${20 + 20 * i}" cy="18" r="6" fill="${fill}"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #1f2328 }
.screen { fill: #ffffff; stroke: #d0d7de }
.bold { font-weight: bold } .dim { fill: #59636e }
.red { fill: #cf222e } .green { fill: #116329 } .yellow { fill: #7d4e00 } .blue { fill: #0969da } .magenta { fill: #8250df } .cyan { fill: #0a6c74 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.screen { fill: #0d1117; stroke: #3d444d }
.dim { fill: #9198a1 }
.red { fill: #ff7b72 } .green { fill: #56d364 } .yellow { fill: #e3b341 } .blue { fill: #79c0ff } .magenta { fill: #d2a8ff } .cyan { fill: #76e3ea }
}
</style>
<rect class="screen" x="0.5" y="0.5" width="${size.width - 1}" height="${size.height - 1}" rx="8"/>
${dots.join('')}
<text class="dim" x="${size.width / 2}" y="23" text-anchor="middle">${escaped(title)}</text>
${lines.map(lineOf).join('\n')}
</svg>
`
}

/** Every piece stands at its column, whatever the width of the font. */
function lineOf(runs, i) {
  const y = height.bar + i * height.line + 14
  let column = 0
  const pieces = runs.map(({ text, look }) => {
    const x = round(width.margin + column * width.cell)
    const length = [...text].length
    column += length
    const style = look === '' ? '' : ` class="${look}"`
    return `<tspan x="${x}" textLength="${round(length * width.cell)}"${style}>${escaped(text)}</tspan>`
  })
  return `<text y="${y}" xml:space="preserve">${pieces.join('')}</text>`
}

function round(number) {
  return Math.round(number * 10) / 10
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
