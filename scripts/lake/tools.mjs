/** What the cluster for tests is made of, fetched once into a cache outside the repository: Trino, a Java for it, moto. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const runs = promisify(execFile)
/** Ends what is being fetched; what is half there is removed. */
export const fetching = new AbortController()

/** The last version of Trino that Maven Central has. */
const trinoVersion = '476'
/** Trino without connectors, and the only connector that is wanted: half of what the whole server takes. */
const archives = [
  {
    artifact: `io.trino:trino-server-core:${trinoVersion}:tar.gz`,
    file: `trino-server-core-${trinoVersion}.tar.gz`,
    sha256: '0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158',
  },
  {
    artifact: `io.trino:trino-hive:${trinoVersion}:zip`,
    file: `trino-hive-${trinoVersion}.zip`,
    sha256: '611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e',
  },
]
const mavenPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
const javaMin = 24

/** Something that the tests can do without: they are skipped, and say why. */
export class Missing extends Error {}

export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tidemark-lake')

/** The oldest Java that will do, of TIDEMARK_JAVA, JAVA_HOME, the path and where Debian keeps them. @throws Missing */
export async function findJava() {
  const homes = [process.env.TIDEMARK_JAVA, process.env.JAVA_HOME].filter(Boolean)
  const kept = '/usr/lib/jvm'
  if (existsSync(kept)) homes.push(...readdirSync(kept).map(name => join(kept, name)))
  const found = []
  for (const java of ['java', ...homes.map(home => join(home, 'bin', 'java'))]) {
    const version = await versionOfJava(java)
    if (version >= javaMin) return { java, version }
    if (version > 0) found.push(version)
  }
  const others = found.length === 0 ? 'none was found' : `found ${[...new Set(found)].join(', ')}`
  throw new Missing(`Trino ${trinoVersion} needs Java ${javaMin} or newer: ${others}; TIDEMARK_JAVA can name its home`)
}

async function versionOfJava(java) {
  try {
    const { stderr } = await runs(java, ['-version'], { timeout: 20_000 })
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** The folder with Trino's `lib` and `plugin`, fetched with Maven where it is not there yet. @throws Missing */
export async function findTrino(say) {
  const folder = join(cacheFolder, `trino-${trinoVersion}`)
  if (existsSync(folder)) return folder
  await madeWhole(folder, async part => {
    say(`fetching Trino ${trinoVersion} (450 MB, once) into ${cacheFolder}`)
    for (const archive of archives) await fetchArchive(archive, part)
    const [core, hive] = archives.map(archive => join(part, archive.file))
    const root = `trino-server-core-${trinoVersion}`
    const wanted = ['lib', 'plugin/exchange-filesystem'].map(name => `${root}/${name}`)
    await required('tar', ['-xzf', core, '-C', part, '--strip-components=1', ...wanted])
    await unzip(hive, join(part, 'plugin'))
    renameSync(join(part, 'plugin', `trino-hive-${trinoVersion}`), join(part, 'plugin', 'hive'))
    for (const archive of archives) rmSync(join(part, archive.file))
  })
  return folder
}

async function fetchArchive({ artifact, file, sha256 }, folder) {
  // A repository of its own, so that nothing of this size stays in the user's.
  const repository = join(folder, 'm2')
  const args = ['-q', '-B', `-Dmaven.repo.local=${repository}`, mavenPlugin, `-Dartifact=${artifact}`]
  await required('mvn', [...args, `-DoutputDirectory=${folder}`, '-Dmdep.useBaseVersion=true'])
  rmSync(repository, { recursive: true, force: true })
  const hash = createHash('sha256')
  await pipeline(createReadStream(join(folder, file)), hash)
  const found = hash.digest('hex')
  // Not a thing to go on without: the file is not what it was.
  if (found !== sha256) throw new Error(`${artifact} has the SHA-256 ${found}, and ${sha256} was expected`)
}

async function unzip(file, folder) {
  try {
    await runs('unzip', ['-q', file, '-d', folder], { signal: fetching.signal })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    await required('python3', ['-m', 'zipfile', '-e', file, folder])
  }
}

/** The Python that has moto, in an environment of its own. @throws Missing */
export async function findMoto(say) {
  const requirements = join(dirname(fileURLToPath(import.meta.url)), 'requirements.txt')
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const folder = join(cacheFolder, `python-${digest}`)
  const python = join(folder, 'bin', 'python')
  // An environment knows its own path, so it is made where it stays; the stamp says that it is whole.
  const stamp = join(folder, 'whole')
  if (existsSync(stamp)) return python
  say('installing moto (once)')
  rmSync(folder, { recursive: true, force: true })
  await required('python3', ['-m', 'venv', folder])
  await required(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements])
  mkdirSync(stamp)
  return python
}

/** Makes a folder under another name, and gives it its own when it is whole. */
async function madeWhole(folder, make) {
  mkdirSync(dirname(folder), { recursive: true })
  removeOldParts(folder)
  const part = mkdtempSync(`${folder}.part-`)
  try {
    await make(part)
    // Another run may have been quicker.
    if (!existsSync(folder)) renameSync(part, folder)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

/** What killed runs left behind. */
function removeOldParts(folder) {
  for (const name of readdirSync(dirname(folder))) {
    const path = join(dirname(folder), name)
    if (!path.startsWith(`${folder}.part-`) || Date.now() - statSync(path).mtimeMs < 3_600_000) continue
    rmSync(path, { recursive: true, force: true })
  }
}

async function required(command, args) {
  try {
    await runs(command, args, { timeout: 900_000, maxBuffer: 64 * 1024 * 1024, signal: fetching.signal })
  } catch (error) {
    if (fetching.signal.aborted) throw error
    if (error.code === 'ENOENT') throw new Missing(`${command} is not installed`)
    const told = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n').slice(-3).join(' ')
    throw new Missing(`${command} failed: ${told || error.message}`)
  }
}
