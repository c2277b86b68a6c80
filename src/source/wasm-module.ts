import { readFileSync } from 'node:fs'
import { assert } from '../errors.ts'

/**
 * What a compiled file of AssemblyScript exports, at work in this memory; null where the machine lacks the vector instructions that it
 * uses, and the caller does without.
 */
export function instantiate<Exports>(file: URL, memory: WebAssembly.Memory): Exports | null {
  const code = readFileSync(file)
  if (!WebAssembly.validate(code)) return null
  const abort = (): void => assert(false, `${file.pathname} gave up`)
  return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, abort } }).exports as Exports
}
