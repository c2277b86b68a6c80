// Bundles the workbench's page in src/ui/ into dist/ui/ or build/src/ui/, where it is older than its sources.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
  })
  // The styles of parts that are fetched later are in app.css too.
  for (const name of readdirSync(target).filter(name => /-[A-Z0-9]{8}\.css$/.test(name))) rmSync(join(target, name))
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
