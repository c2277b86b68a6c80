// Compiles src/flowlog/wasm/lines.ts (AssemblyScript) to lines.wasm in dist/ or build/src/, unless it is newer than its source.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src', 'flowlog', 'wasm', 'lines.ts')

/** `folder` is what stands for `src` in what is built. */
export async function compileWasm(folder) {
  const target = join(folder, 'flowlog', 'wasm', 'lines.wasm')
  if (modified(target) > Math.max(modified(source), modified(fileURLToPath(import.meta.url)))) return
  const { default: asc } = await import('assemblyscript/asc')
  let binary = null
  const { error, stderr } = await asc.main(
    [
      'lines.ts',
      '--outFile',
      'lines.wasm',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--importMemory',
    ],
    {
      readFile: name => (name === 'lines.ts' ? readFileSync(source, 'utf8') : null),
      writeFile: (name, content) => {
        if (name === 'lines.wasm') binary = content
      },
      listFiles: () => [],
    },
  )
  if (error || binary === null) throw new Error(`lines.ts does not compile\n${stderr.toString()}`)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, binary)
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
