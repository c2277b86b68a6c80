/** What is used of WebAssembly's JavaScript interface (W3C): TypeScript declares it for browsers only, together with all that they have. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    constructor(size: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Global {
    value: number | bigint
  }
  class Instance {
    constructor(module: Module, imports: { env: Record<string, unknown> })
    readonly exports: unknown
  }
  function validate(bytes: Uint8Array): boolean
}
