/**
 * Records of an engine as a case of their own: the lines as flow-log files, one for each object, and sums over everything of that time, so that
 * a dossier is what it would be if all of it lay here. The case is made beside its place and moved there when it is whole.
 */
import { rmSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { askedEndpoints, chain } from '../conversations/conversations.ts'
import { countOnce } from '../conversations/count-once.ts'
import { endpointText } from '../conversations/pulled-part.ts'
import { ofSubject as recordsOf, subjectRecords } from '../conversations/subject.ts'
import { folderBeside } from '../disk/temporary.ts'
import { nodeAt, sync } from '../disk/writing.ts'
import type { AskOptions, Engine, Estimate, TextRow } from '../engines/engine.ts'
import { exitStatus, UserError } from '../errors.ts'
import { compile } from '../filter/compile.ts'
import { checkBefore } from '../flows/engine-before.ts'
import { type EngineRecords, engineRecords } from '../flows/engine-records.ts'
import { refuseFilter } from '../flows/engine-setting.ts'
import { filterOf } from '../flows/settle.ts'
import { addEvidence } from '../ingest/add.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import type { Expression, Select } from '../query/nodes.ts'
import type { RemoteFile } from '../sources/remote.ts'
import { openCase } from '../store/case.ts'
import { soundLedger } from '../store/case-folder.ts'
import { caseFiles } from '../store/files.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import type { PullNote } from '../store/ledger-entry.ts'
import { countedOf } from '../store/standing.ts'
import { composed, type ReadFiles } from './compose.ts'
import { ObjectFiles } from './objects.ts'
import { ofSubject, type Statements, statementsOf } from './statements.ts'
import { Sums } from './sums.ts'
import { QuestionTooLong } from './too-long.ts'

export interface PullOptions extends AskOptions {
  /** Where the case is made: nothing may be there. */
  case: string
  /** Whose records; empty: those that `filter` matches. */
  subject: readonly Prefix[]
  filter?: string
  /** Records that end before it, or start at it or after, are left out, of sums too; microseconds since the epoch. */
  from_us?: number
  to_us?: number
  command?: string
  /** Finds objects by their URIs, to be read from where they lie; the engine only says which. Absent: the engine gives the lines. */
  objects?: (uris: readonly string[], signal: AbortSignal | undefined) => Promise<RemoteFile[]>
  /** Whether the case is to tell of its subject what all records would: also where the subject passes on the connections of others. */
  ofAll?: true
  /** It is only looked at: a case may be there. */
  plan?: true
  /** Told what is being done. */
  onWork?: (what: string) => void
}

export interface PullReport {
  case: string
  objects: number
  /** Objects of these that were read whole, from where they lie. */
  whole: number
  /** Records in the case, and all that the table has in that time. */
  records: number
  records_of_table: number
  /** Lines without data. */
  silences: number
  /** Endpoints whose other records were asked for. */
  endpoints: number
  statements: PullNote['statements']
}

/** A pull that was made, and not begun. */
export interface Pull {
  /** The statements that are known before, as they are sent; another one follows from what they give. */
  statements: readonly string[]
  /** How often the table is read at most. */
  passes: number
  estimate(): Promise<Estimate>
  /** @throws UserError where the engine refuses or cannot be reached, or what it gives cannot be a case: then none is there. */
  run(): Promise<PullReport>
}

/** @throws UserError (status 2) where a case is there, or what is asked cannot be asked of an engine. */
export async function pullOf(engine: Engine, options: PullOptions): Promise<Pull> {
  const dir = resolve(options.case)
  if (options.plan !== true) await requireNothing(dir)
  await checkBefore(any => wantedOf(engineRecords(any), options))
  const table = await engine.table(options)
  const own = engineRecords(table)
  const [from_us, to_us] = [options.from_us, options.to_us].map(us => (us === undefined ? null : BigInt(us)))
  const where = wantedOf(own, options)
  const statements = statementsOf(table, own, { where, from_us: from_us!, to_us: to_us! })
  const { dialect } = engine
  const texts = [statements.sums, options.objects === undefined ? statements.lines : statements.places.lines].map(one =>
    engine.sent(dialect.print(one)),
  )
  requireShort(texts, engine)
  return {
    statements: texts,
    passes: options.subject.length === 0 ? 2 : 3,
    estimate: () => {
      const { scan, partitions } = statements
      const shown = partitions === null ? null : { text: dialect.shown(partitions), values: [] }
      return engine.estimate({ text: dialect.shown(scan), values: [] }, table, shown, options)
    },
    run: () => new Pulling(engine, statements, dir, options).run(),
  }
}

function requireShort(statements: readonly string[], { lettersMost }: Engine): void {
  const longest = Math.max(...statements.map(text => text.length))
  if (longest <= lettersMost) return
  throw new QuestionTooLong(`the question is too long for an engine: ${longest} letters, of ${lettersMost} at most`, {
    status: exitStatus.usage,
    hint: 'name networks in place of their addresses, or pull in several parts, each into a case of its own',
  })
}

function wantedOf(own: EngineRecords, { subject, filter = '' }: PullOptions): Expression {
  if (subject.length > 0) return ofSubject(own, subject)
  const parsed = filterOf({ filter }, own.columns, { files: false })
  refuseFilter(parsed.ast)
  return compile(parsed, { columns: own.columns, internal: [] }).where
}

async function requireNothing(dir: string): Promise<void> {
  const kind = await nodeAt(dir)
  if (kind === null || (kind === 'folder' && (await readdir(dir)).length === 0)) return
  throw new UserError(`something is there already: ${dir}`, {
    status: exitStatus.usage,
    hint: 'a pull makes a case of its own, for its sums are of one question: name another folder with --case',
  })
}

/** What a case is made of, besides the files' lines. */
interface Composed {
  files: ObjectFiles
  sums: Sums
  endpoints: readonly string[]
  /** Objects that are read whole, as the engine names them. */
  whole: readonly string[]
  added: string | null
}

class Pulling {
  private readonly engine: Engine
  private readonly statements: Statements
  private readonly dir: string
  private readonly options: PullOptions
  private readonly ran: PullNote['statements'] = []

  constructor(engine: Engine, statements: Statements, dir: string, options: PullOptions) {
    this.engine = engine
    this.statements = statements
    this.dir = dir
    this.options = options
  }

  async run(): Promise<PullReport> {
    const parent = dirname(this.dir)
    await mkdir(parent, { recursive: true })
    const staging = folderBeside(this.dir, 'pulling')
    // Also where the process is ended at once.
    const remove = (): void => rmSync(staging, { recursive: true, force: true, maxRetries: 3 })
    process.once('exit', remove)
    try {
      const report = await this.runIn(staging)
      this.options.signal?.throwIfAborted()
      await requireNothing(this.dir)
      await rename(join(staging, 'case'), this.dir)
      await sync(parent)
      return report
    } finally {
      process.off('exit', remove)
      await rm(staging, { recursive: true, force: true })
    }
  }

  private async runIn(staging: string): Promise<PullReport> {
    const { options, statements } = this
    const made = join(staging, 'case')
    const files = new ObjectFiles(join(made, caseFiles.pulled, '001'), statements.fields)
    const sums = new Sums()
    await this.ask(statements.sums, 'sums', rows => sums.take(rows))
    if (sums.objects.size === 0)
      throw new UserError('the table has no records in that time', { hint: 'are --from and --to what was meant?' })
    for (const object of sums.objects.keys()) files.know(object)
    const whole = options.objects === undefined ? await this.lines(files) : await this.places(files)
    await files.fill()
    let read = await this.read(join(staging, 'first'), files)
    const probe = options.subject.length === 0 ? null : join(staging, 'probe')
    const endpoints = probe === null ? [] : await this.endpointsIn(probe, read, { files, sums, whole })
    if (read !== null && probe !== null) read = { ...read, segments: probe }
    let left = probe === null ? whole : []
    if (endpoints.length > 0) {
      const before = files.records
      if (options.objects === undefined) await this.elsewhere(endpoints, files)
      else left = await this.placesElsewhere(endpoints, files, whole)
      if (files.records > before || left.length > 0) read = await this.read(join(staging, 'second'), files)
    }
    await files.sync()
    const added = probe !== null && whole.length > 0 ? probe : null
    const all = [...new Set([...whole, ...left])]
    await this.composed(made, read, { files, sums, endpoints, whole: all, added })
    await this.addWhole(made, left, sums)
    await sync(made)
    return this.report(made, sums, endpoints, all)
  }

  private async report(
    dir: string,
    sums: Sums,
    endpoints: readonly string[],
    whole: readonly string[],
  ): Promise<PullReport> {
    const { evidence } = countedOf(await soundLedger(dir))
    const sum = (of: (file: EvidenceEntry) => number): number => evidence.reduce((total, file) => total + of(file), 0)
    return {
      ...{ case: this.dir, objects: evidence.length, whole: whole.length, records: sum(file => file.records) },
      records_of_table: [...sums.objects.keys()].reduce((total, object) => total + sums.of(object).records, 0),
      silences: sum(file => file.no_data + file.skip_data),
      ...{ endpoints: endpoints.length, statements: this.ran },
    }
  }

  /** Brings the lines themselves. */
  private async lines(files: ObjectFiles): Promise<string[]> {
    await this.ask(this.statements.lines, 'records', rows => files.take(rows))
    return []
  }

  /** Brings the lines that are no records, and says which objects hold records that are wanted: these are read whole, and no parts. */
  private async places(files: ObjectFiles): Promise<string[]> {
    const whole = new Set<string>()
    // Rows come in the order of their objects: those of one are held, until it is known whether it is read whole.
    let [at, silences] = ['', [] as TextRow[]]
    const end = async (): Promise<void> => {
      if (whole.has(at)) {
        requireObject(at)
        await files.leave(at)
      } else await files.take(silences)
      silences = []
    }
    await this.ask(this.statements.places.lines, 'the objects that hold the records', async rows => {
      for (const [alike, object, ...line] of rows) {
        if ((object ?? '') !== at) await end()
        at = object ?? ''
        const row = [at, ...line]
        if (line.every(value => value === null)) whole.add(at)
        else for (let i = 0; i < Number(alike); i++) silences.push(row)
      }
    })
    await end()
    return [...whole].sort()
  }

  /** Makes a case of what was read so far. */
  private composed(
    dir: string,
    read: ReadFiles | null,
    { files, sums, endpoints, whole, added }: Composed,
  ): Promise<void> {
    const { subject, filter = '', from_us, to_us, command = 'pull' } = this.options
    this.options.onWork?.('making the case')
    const at = (us: number | undefined): string | null => (us === undefined ? null : utcSeconds(us))
    return composed(dir, read, {
      ...{ folder: join(dirname(dir), 'case'), place: this.dir, files: files.files, added, sums, command },
      note: {
        ...{ engine: this.engine.name, table: this.engine.place, subject: subject.map(one => one.text) },
        ...{ filter: subject.length > 0 ? null : filter, endpoints: [...endpoints], whole: whole.map(requireObject) },
        ...{ from: at(from_us), to: at(to_us), statements: [...this.ran] },
      },
    })
  }

  /** Reads objects from where they lie into a case. @throws UserError where one of them cannot be read. */
  private async addWhole(dir: string, objects: readonly string[], sums: Sums): Promise<void> {
    if (objects.length === 0) return
    const { signal, command = 'pull', onWork } = this.options
    onWork?.('reading the objects')
    const names = new Map(objects.map(object => [requireObject(object), object]))
    const remote = await this.options.objects!([...names.keys()], signal)
    const { files } = await addEvidence({ case: dir, paths: [], remote, command, ...(signal && { signal }) })
    signal?.throwIfAborted()
    for (const { path, status, problem, records, malformed } of files) {
      if (status === 'unreadable' || status === 'not-evidence' || status === 'partly-read') {
        const howFar = status === 'partly-read' ? ' to its end' : ''
        throw new UserError(`an object of the table cannot be read${howFar}: ${path}: ${problem ?? status}`, {
          hint: 'without --objects the engine gives the lines itself',
        })
      }
      if (status === 'read' && records + malformed < sums.of(names.get(path) ?? '').records)
        throw new UserError(`an object is not what the engine read: ${path} has fewer records`, {
          hint: 'was it changed meanwhile? end the time before now: --to',
        })
    }
  }

  private async elsewhere(endpoints: readonly string[], files: ObjectFiles): Promise<void> {
    const statement = this.asked(this.statements.elsewhere(endpoints), endpoints)
    await this.ask(statement, 'what others did with these', rows => files.take(rows))
    await files.settle()
  }

  /** The objects that hold records of endpoints, without those that are read already. */
  private async placesElsewhere(
    endpoints: readonly string[],
    files: ObjectFiles,
    whole: readonly string[],
  ): Promise<string[]> {
    const known = new Set(whole)
    const found = new Set<string>()
    const statement = this.asked(this.statements.places.elsewhere(endpoints), endpoints)
    await this.ask(statement, 'what others did with these', rows => {
      for (const [, object] of rows) if (!known.has(object ?? '')) found.add(object ?? '')
    })
    for (const object of found) await files.leave(object)
    return [...found].sort()
  }

  /** @throws UserError for endpoints that are too many for a statement. */
  private asked(statement: Select, endpoints: readonly string[]): Select {
    const { lettersMost } = this.engine
    const letters = this.engine.sent(this.engine.dialect.print(statement)).length
    if (letters <= lettersMost) return statement
    throw new QuestionTooLong(
      `who listens is open for ${endpoints.length} endpoints, and a question for all of them is too long for an engine: ${letters} letters, of ${lettersMost} at most`,
      { hint: 'a shorter time (--from, --to) or fewer addresses have fewer' },
    )
  }

  private async ask(statement: Select, what: string, take: (rows: TextRow[]) => Promise<void> | void): Promise<void> {
    const { engine, options } = this
    options.onWork?.(`asking the engine for ${what}`)
    const printed = engine.dialect.print(statement)
    const started = new Date().toISOString()
    const before = engine.ran.length
    for await (const rows of engine.ask(printed, options)) await take(rows)
    const run = engine.ran.slice(before).at(-1)
    // Records that came between the two would be in the sums, and not in the case.
    if (run?.reused === true && this.ran[0]?.reused === false)
      throw new UserError('the engine gave an earlier answer about the records than about their sums', {
        hint: 'ask without --reuse, or of a time that was over before the first run: --to',
      })
    this.ran.push({
      ...{ statement: engine.sent(printed), query: run?.id ?? '', bytes: run?.bytes ?? null },
      ...{ started, ended: new Date().toISOString(), reused: run?.reused ?? false },
    })
  }

  /** Reads the files into a case, of which the segments are taken; null: there are none. */
  private async read(into: string, { files }: ObjectFiles): Promise<ReadFiles | null> {
    if (files.size === 0) return null
    this.options.onWork?.('reading what it gave')
    const folder = join(dirname(into), 'case', caseFiles.pulled, '001')
    // In the order of the objects: of copies the first counts.
    const found = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => join(folder, name))
    const { signal } = this.options
    const report = await addEvidence({
      ...{ case: into, paths: [folder], parts: true, ...(signal && { signal }) },
      found: found.map(path => ({
        ...{ path, rawPath: null, size: 0, problem: null, unreadable: false, named: true },
      })),
    })
    signal?.throwIfAborted()
    const odd = report.files.find(file => file.status !== 'read' || file.malformed > 0)
    if (odd !== undefined) {
      const why = odd.problem ?? report.problems.find(one => one.path === odd.path)?.problem ?? odd.status
      throw new UserError(`what the engine gave is no flow log: ${odd.path.slice(folder.length + 1)}: ${why}`, {
        hint: 'does the table have the columns of flow logs, and are they of the right type?',
      })
    }
    return { scratch: into, segments: into }
  }

  /**
   * Endpoints whose role is open, as texts. They are told of a case as the one that is made will be: with the sums over everything, for how
   * long records last decides what is one connection.
   */
  private async endpointsIn(
    dir: string,
    read: ReadFiles | null,
    { files, sums, whole }: Pick<Composed, 'files' | 'sums' | 'whole'>,
  ): Promise<string[]> {
    const { subject, signal } = this.options
    await this.composed(dir, read, { files, sums, endpoints: [], whole, added: null })
    await this.addWhole(dir, whole, sums)
    const c = await openCase(dir, signal && { signal })
    try {
      if (c.source !== 'logs' || recordsOf(c, subject).text === '(false)') return []
      const { block, pairs, dictionaries, fates } = await subjectRecords(c, subject)
      const { vantages } = dictionaries
      const ofAll = this.options.ofAll === true
      const ways = [
        fates,
        ...(ofAll ? [countOnce(block, pairs, { evidence: c.source, vantages, isSubject: null })] : []),
      ]
      const endpoints = new Set<string>()
      for (const way of ways) {
        const asked = askedEndpoints(chain(c.source, block, pairs, dictionaries, way, null))
        for (let i = 0; i < asked.count; i++) {
          const { host, port, protocol } = asked.at(i)
          endpoints.add(endpointText(dictionaries.hosts, host, port, protocol))
        }
      }
      return [...endpoints]
    } finally {
      await c.close()
    }
  }
}

/** An object as it is named in S3. @throws UserError for one that lies elsewhere. */
function requireObject(object: string): string {
  const rest = /^s3[an]?:\/\/(.+)$/.exec(object)?.[1]
  if (rest !== undefined) return `s3://${rest}`
  throw new UserError(`--objects reads from S3, and an object of the table lies elsewhere: ${object}`, {
    status: exitStatus.usage,
    hint: 'leave --objects out: the engine gives the lines itself',
  })
}
