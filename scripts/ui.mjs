// Bundles the workbench's page in src/ui/ into dist/ui/ or build/src/ui/, where it is older than its sources.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** `folder` is what stands for `src` in what is built. */
export async function bundleUi(folder) {
  const target = join(folder, 'ui')
  const newest = Math.max(...sources().map(modified), modified(fileURLToPath(import.meta.url)))
  if (modified(join(target, 'app.js')) > newest) return
  const { build } = await import('esbuild')
  mkdirSync(target, { recursive: true })
  for (const name of readdirSync(target).filter(isBundled)) rmSync(join(target, name))
  await build({
    absWorkingDir: root,
    entryPoints: { app: 'src/ui/main.tsx' },
    outdir: target,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    chunkNames: '[name]-[hash]',
    legalComments: 'linked',
    logLevel: 'warning',
    plugins: [{ name: 'styles', setup: build => build.onLoad({ filter: /[\\/]ui[\\/]all\.css$/ }, allStyles) }],
  })
  // The styles of parts that are fetched later are in app.css too.
  for (const name of readdirSync(target).filter(name => /-[A-Z0-9]{8}\.css$/.test(name))) rmSync(join(target, name))
}

/** Every style sheet, in an order that does not depend on who imports which: colours and controls, frame, parts, pages. */
function allStyles() {
  const ui = join(root, 'src', 'ui')
  const names = readdirSync(ui, { recursive: true }).map(name => name.split(sep).join('/'))
  const sheets = names.filter(name => name.endsWith('.css') && name !== 'all.css').sort()
  const first = ['theme.css', 'parts/frame.css']
  const ordered = [...first, ...['parts/', 'pages/'].flatMap(folder => sheets.filter(name => name.startsWith(folder)))]
  const contents = [...new Set(ordered)].map(name => `@import "./${name}";`).join('\n')
  return { contents, loader: 'css', resolveDir: ui }
}

/** What an earlier bundle may be of; beside it are compiled files that tests use. */
function isBundled(name) {
  return /^app\.|-[A-Z0-9]{8}\./.test(name)
}

/** The page's own files, those of the program that it shares, and the versions of its packages. */
function sources() {
  const src = join(root, 'src')
  const names = readdirSync(src, { recursive: true }).filter(name =>
    /^(ui|net|server[\\/]contract)[\\/].*\.(tsx?|css)$/.test(name),
  )
  return [...names.map(name => join(src, name)), join(root, 'package-lock.json')]
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
