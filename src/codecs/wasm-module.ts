import { readFileSync } from 'node:fs'
import { assert } from '../errors.ts'

/** What a compiled file of AssemblyScript exports, and the memory that it works in. */
export interface WasmModule<Exports> {
  exports: Exports
  memory: WebAssembly.Memory
}

/**
 * Loads a compiled file of AssemblyScript with a memory of that many pages; null where the machine lacks the vector instructions that
 * it uses, or the address space that each memory reserves (`ulimit -v`), or forbids to make code (`node --jitless`). The caller then
 * does without: it is slower, and no figure differs.
 */
export function loadWasm<Exports>(file: URL, pages: { initial: number; maximum: number }): WasmModule<Exports> | null {
  const abort = (): void => assert(false, `${file.pathname} gave up`)
  try {
    const code = readFileSync(file)
    if (!WebAssembly.validate(code)) return null
    const memory = new WebAssembly.Memory(pages)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, abort } })
    return { exports: instance.exports as Exports, memory }
  } catch {
    return null
  }
}
