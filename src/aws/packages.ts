import { createRequire } from 'node:module'
import { errorCode, UserError } from '../errors.ts'

/**
 * Loads a package that is optional, as all of AWS are: half a second each, and only who reads from AWS needs them.
 *
 * @param load the `import()` of it, which stands with who asks, so that its types are known.
 * @throws UserError where it is not installed: which, and how it is.
 */
export async function loaded<T>(name: string, load: () => Promise<T>): Promise<T> {
  // They want Node 22 from January 2027 on, and say so on standard error; the versions that are asked for run on 20.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  try {
    return await load()
  } catch (error) {
    if (errorCode(error) !== 'ERR_MODULE_NOT_FOUND' && errorCode(error) !== 'MODULE_NOT_FOUND') throw error
    throw new UserError(`the package ${name} is not installed: it is optional, and needed for what is asked`, {
      hint: `install it beside Tidemark: npm install ${global()}${name}@${versionOf(name)} (a Tidemark installed without --omit=optional has it)`,
      cause: error,
    })
  }
}

/** Whether Tidemark lies where `npm install -g` puts packages. */
function global(): string {
  return /[/\\]lib[/\\]node_modules[/\\]/.test(import.meta.url) ? '-g ' : ''
}

function versionOf(name: string): string {
  const manifest: unknown = createRequire(import.meta.url)('tidemark/package.json')
  const { optionalDependencies = {} } = manifest as { optionalDependencies?: Record<string, string> }
  return optionalDependencies[name] ?? 'latest'
}
