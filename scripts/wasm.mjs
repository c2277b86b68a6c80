// Compiles the AssemblyScript in src/*/wasm/ to .wasm files in dist/ or build/src/, where they are older than their sources.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory']

/** `folder` is what stands for `src` in what is built. */
export async function compileWasm(folder) {
  const src = join(root, 'src')
  for (const name of readdirSync(src, { recursive: true })) {
    if (/[\\/]wasm[\\/][^\\/]+\.ts$/.test(name))
      await compile(join(src, name), join(folder, name.replace(/\.ts$/, '.wasm')))
  }
}

async function compile(source, target) {
  if (modified(target) > Math.max(modified(source), modified(fileURLToPath(import.meta.url)))) return
  const { default: asc } = await import('assemblyscript/asc')
  let binary = null
  const { error, stderr } = await asc.main(['source.ts', '--outFile', 'target.wasm', ...options], {
    readFile: name => (name === 'source.ts' ? readFileSync(source, 'utf8') : null),
    writeFile: (name, content) => {
      if (name === 'target.wasm') binary = content
    },
    listFiles: () => [],
  })
  if (error || binary === null) throw new Error(`${source} does not compile\n${stderr.toString()}`)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, binary)
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
