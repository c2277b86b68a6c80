/** What lies in a folder of flow logs: orders of fields, flow logs, accounts, regions and days. */
import { constants, gunzipSync } from 'node:zlib'
import { AwsError } from '../aws/errors.ts'
import { compressionOf, contentOf } from '../input/sniff.ts'
import { reason } from '../input/walk.ts'
import { headerOf, isStamped } from '../vpc-text/header.ts'
import { layoutOf } from '../vpc-text/layout.ts'
import { parquetColumns } from './parquet-columns.ts'
import type { LakeFile } from './places.ts'
import type { LakeColumn } from './table.ts'

/** How AWS writes the folders of a bucket. `plain`: AWSLogs/ACCOUNT/vpcflowlogs/REGION/2023/09/28; `hive`: …/year=2023/month=09/day=28. */
export type TreeKind = 'plain' | 'hive'

/** Folders of one kind under one beginning. */
export interface Tree {
  kind: TreeKind
  /** What comes before the account, with AWSLogs; relative to the folder, without a slash at its end. */
  base: string
  accounts: Set<string>
  regions: Set<string>
  /** First and last day, as 2023/09/28. */
  first: string
  last: string
}

/** Files of one order of fields, in one tree or in none. */
export interface FoundLayout {
  /** The fields as AWS spells them. */
  fields: readonly string[]
  /** The columns of a table. */
  columns: readonly string[]
  /** Of Parquet the types of the columns; null: text, whose types follow from the fields. */
  types: readonly LakeColumn['kind'][] | null
  kind: 'vpc-flow-log' | 'tgw-flow-log'
  tree: Tree | null
  /** Ids of the flow logs whose files these are. */
  flowLogs: Set<string>
  /** Names of files without such an id, without their folders. */
  others: Set<string>
  files: number
  bytes: number
}

export interface LayoutsFound {
  layouts: FoundLayout[]
  files: number
  bytes: number
  /** Headers that were read: one of each flow log, and of each file that names none. */
  headers: number
  /** Files of which no table is made, and why. */
  left_out: { path: string; reason: string }[]
}

const plainTree =
  /^((?:.*\/)?AWSLogs(?:\/o-[a-z0-9]+)?)\/(\d{12})\/vpcflowlogs\/([a-z0-9-]+)\/(\d{4})\/(\d\d)\/(\d\d)\/(?:\d\d\/)?[^/]+$/
const hiveTree =
  /^((?:.*\/)?AWSLogs)\/aws-account-id=(\d{12})\/aws-service=vpcflowlogs\/aws-region=([a-z0-9-]+)\/year=(\d{4})\/month=(\d\d)\/day=(\d\d)\/(?:hour=\d\d\/)?[^/]+$/
const flowLogId = /(?:^|_)(fl-[0-9a-f]+)(?:_|\.|$)/

/**
 * Looks at files: the order of the fields of a flow log never changes, so one header of each is read.
 *
 * @throws AwsError where files of a bucket cannot be read at all; the signal's reason.
 */
export async function findLayouts(files: readonly LakeFile[], signal?: AbortSignal): Promise<LayoutsFound> {
  const layouts = new Layouts(signal)
  for (const file of files) {
    signal?.throwIfAborted()
    if (file.problem !== null) layouts.leaveOut(file.path, file.problem)
    else await layouts.add(file)
  }
  return layouts.found()
}

const headBytes = 64 << 10

type Header = Pick<FoundLayout, 'fields' | 'columns' | 'kind' | 'types'>

class Layouts {
  readonly #found = new Map<string, FoundLayout>()
  readonly #trees = new Map<string, Tree>()
  /** By flow log; a text is the reason why there is none. */
  readonly #headers = new Map<string, Header | string>()
  readonly #leftOut: LayoutsFound['left_out'] = []
  #files = 0
  #bytes = 0
  #read = 0
  readonly #signal: AbortSignal | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  async add(file: LakeFile): Promise<void> {
    const { path, size } = file
    // Hive, and with it Trino and Athena, pass over such names.
    if (path.split('/').some(part => /^[._]/.test(part))) return
    this.#files++
    this.#bytes += size
    const name = path.slice(path.lastIndexOf('/') + 1)
    const id = flowLogId.exec(name)?.[1] ?? null
    const header = await this.#headerOf(id, file)
    if (typeof header === 'string') {
      if (header !== empty) this.leaveOut(path, header)
      return
    }
    const tree = this.#treeOf(path)
    const key = JSON.stringify([tree === null ? null : [tree.kind, tree.base], header.fields, header.types])
    let layout = this.#found.get(key)
    if (layout === undefined) {
      layout = { ...header, tree, flowLogs: new Set(), others: new Set(), files: 0, bytes: 0 }
      this.#found.set(key, layout)
    }
    layout.files++
    layout.bytes += size
    if (id === null) layout.others.add(name)
    else layout.flowLogs.add(id)
  }

  leaveOut(path: string, reason: string): void {
    this.#leftOut.push({ path, reason })
  }

  found(): LayoutsFound {
    const layouts = [...this.#found.values()].sort((a, b) => b.files - a.files)
    return { layouts, files: this.#files, bytes: this.#bytes, headers: this.#read, left_out: this.#leftOut }
  }

  async #headerOf(id: string | null, file: LakeFile): Promise<Header | string> {
    const known = id === null ? undefined : this.#headers.get(id)
    if (known !== undefined && typeof known !== 'string') return known
    this.#read++
    const header = await readHeader(file, this.#signal)
    if (id !== null) this.#headers.set(id, header)
    return header
  }

  #treeOf(path: string): Tree | null {
    const plain = plainTree.exec(path)
    const parts = plain ?? hiveTree.exec(path)
    if (parts === null) return null
    const [, base, account, region, year, month, day] = parts as unknown as string[]
    const kind: TreeKind = plain === null ? 'hive' : 'plain'
    const date = `${year}/${month}/${day}`
    const key = `${kind} ${base}`
    const tree = this.#trees.get(key) ?? {
      ...{ kind, base: base!, accounts: new Set(), regions: new Set(), first: date, last: date },
    }
    this.#trees.set(key, tree)
    tree.accounts.add(account!)
    tree.regions.add(region!)
    if (date < tree.first) tree.first = date
    if (date > tree.last) tree.last = date
    return tree
  }
}

/** A file of no lines adds none to a table. */
const empty = 'empty'

/** The order of the fields that a file's first line, or its schema, tells; or why it does not. */
async function readHeader(file: LakeFile, signal: AbortSignal | undefined): Promise<Header | string> {
  let bytes: Uint8Array
  try {
    bytes = await file.readAt(0, headBytes)
    if (contentOf(bytes) === 'parquet') return await parquetHeader(file, signal)
    const packed = compressionOf(bytes)
    if (packed === 'gzip') bytes = gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 16 << 20 })
    else if (packed !== 'none') return `packed with ${packed}, and only gzip is known of flow logs in a lake`
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof AwsError && error.about === 'all') throw error
    return `it cannot be read: ${reason(error)}`
  }
  const content = contentOf(bytes)
  if (content !== 'text') return content === 'empty' ? empty : 'not a flow log'
  const end = bytes.indexOf(10)
  const line = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8')
  // A time stamp before every line would shift the columns by one.
  if (isStamped(line)) return 'its lines begin with a time stamp, as exports of CloudWatch Logs'
  const header = headerOf(line)
  if (header === 'damaged') return 'its header is damaged'
  if (header === null) return 'it has no header, and the order of its fields is not known'
  return { fields: header.fields, columns: header.columns, kind: header.kind, types: null }
}

async function parquetHeader(file: LakeFile, signal: AbortSignal | undefined): Promise<Header | string> {
  const found = await parquetColumns(file, () => signal?.aborted === true)
  if (typeof found === 'string') return found
  const columns = found.map(({ name }) => name)
  const { kind, fields } = layoutOf(columns.map(name => name.replaceAll('_', '-')))
  return { fields, columns, kind, types: found.map(one => one.kind) }
}
