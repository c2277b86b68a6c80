import { createRequire } from 'node:module'

/** Tidemark's version. The package knows itself by name wherever it was compiled to. */
export function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('tidemark/package.json')
  return String((manifest as { version: unknown }).version)
}
