import type { Command } from 'commander'
import type { LakeEngine } from '../lake/table.ts'
import { noteWriter } from './added.ts'
import { Argument, Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import type { CommonOptions } from './options.ts'
import { note, print } from './output.ts'
import { startWaiting } from './progress.ts'
import { isBroken, reportUnread } from './unread.ts'

type Task = 'ddl' | 'push'

interface Options extends CommonOptions {
  engine: LakeEngine
  table: string
  location?: string
  to?: string
}

/** Defines `tidemark lake`. */
export function lakeCommand(program: Command): void {
  const command = program
    .command('lake')
    .description('Make flow logs a table of Trino or Athena: statements for what lies in a folder, or a case as files.')
    .usage('[options] ddl FOLDER\n       tidemark lake [options] push --to FOLDER')
    .addArgument(
      new Argument('<task>', 'ddl: print the statements for a folder; push: write the case').choices(['ddl', 'push']),
    )
    .argument('[folder]', 'of ddl: the folder that holds AWSLogs, or to which a case was pushed')
    .addOption(
      new Option('--engine <engine>', 'who is to read the table').choices(['trino', 'athena']).default('trino'),
    )
    .option('--table <name>', 'name of the table, with schema and catalog before it if need be', 'flow_logs')
    .option('--location <uri>', 'where the engine finds the folder: s3://bucket/prefix, or local:///folder of Trino')
    .option('--to <folder>', 'of push: folder to write; what is there already is not written again')
    .option('--json', 'print one JSON document instead of the statements')
    .addHelpText('after', lakeHelp)
    .action(async (task: Task, folder?: string) => {
      const options = command.optsWithGlobals<Options>()
      await interruptible(signal => (task === 'ddl' ? ddl(options, folder, signal) : push(options, folder, signal)))
    })
}

const lakeHelp = `
ddl reads one header of each flow log (its order of fields never changes) and prints what makes a table of the files as they are. push
writes the records of the case as Parquet in AWS's own schema, by day and hour, and prints what makes a table of them.
Statements are printed, never run. For files of a bucket, copy them or name the bucket with --location.

Examples:
  tidemark lake ddl logs/ --engine athena --location s3://my-flow-logs
  tidemark lake push --case incident.tidemark --to lake/
  tidemark lake push --to lake/ --engine athena --location s3://incident/lake --table forensics.incident`

/** What is printed either way, and with --json all that is known. */
type Statements = Record<string, unknown> & { statements: string[] }

async function ddl(options: Options, folder: string | undefined, signal: AbortSignal): Promise<void> {
  const { UserError } = await import('../errors.ts')
  if (folder === undefined) {
    throw new UserError('ddl needs a folder', {
      status: 2,
      hint: 'name the one that holds AWSLogs: tidemark lake ddl logs/',
    })
  }
  if (options.to !== undefined) {
    throw new UserError('--to is of push', { status: 2, hint: 'ddl writes nothing: tidemark lake ddl FOLDER' })
  }
  await refuseBucket(folder, 'lake ddl')
  const [{ readManifests }, { columnsOf }, { pushedDdl }] = await Promise.all([
    import('../lake/manifests.ts'),
    import('../lake/push.ts'),
    import('../lake/pushed-table.ts'),
  ])
  const { engine } = options
  const place = await placeOf(options, folder)
  const pushed = (await readManifests(folder)).filter(({ complete }) => complete)
  if (pushed.length > 0) {
    const files = pushed.flatMap(one => one.files)
    const rows = files.reduce((sum, one) => sum + one.rows, 0)
    const statements = pushedDdl(engine, place.table, place.location, columnsOf(pushed))
    return tell(
      { statements, files: files.length, rows },
      options,
      `${files.length} files that were pushed, ${rows} rows`,
    )
  }
  const [{ findLayouts }, { ddlOf }] = await Promise.all([import('../lake/layouts.ts'), import('../lake/ddl.ts')])
  const found = await findLayouts(folder, signal)
  const statements = ddlOf(found, { engine, ...place })
  const layouts = found.layouts.map(({ fields, kind, files, bytes, flowLogs, tree }) => ({
    ...{ kind, files, bytes, fields, flow_logs: [...flowLogs].sort() },
    tree: tree && { ...tree, accounts: [...tree.accounts].sort(), regions: [...tree.regions].sort() },
  }))
  const { files, headers, left_out } = found
  const { countText } = await import('../report/numbers.ts')
  const what = `${countText(files, 'file')}, ${countText(headers, 'header')} read, ${countText(layouts.length, 'order')} of fields`
  await tell({ statements, files, bytes: found.bytes, headers, layouts, left_out }, options, what)
  if (engine === 'trino' && layouts.some(({ tree }) => tree !== null)) {
    await note('tidemark: days without files: Trino may need hive.ignore-absent-partitions=true in its catalog')
  }
  const places = left_out.map(one => ({ path: one.path, problem: `in no table: ${one.reason}` }))
  process.exitCode ||= await reportUnread(places, places.length > 0, 'tidemark lake ddl --json lists them all')
}

async function push(options: Options, folder: string | undefined, signal: AbortSignal): Promise<void> {
  const { UserError } = await import('../errors.ts')
  const { to } = options
  if (folder !== undefined || to === undefined) {
    throw new UserError('push needs --to, and no other folder', {
      status: 2,
      hint: 'the case is named with --case: tidemark lake push --to lake/',
    })
  }
  await refuseBucket(to, 'lake push')
  const place = await placeOf(options, to)
  const [{ openCase }, { pushCase }, { pushedDdl }, { countText, integerText }] = await Promise.all([
    import('../store/case.ts'),
    import('../lake/push.ts'),
    import('../lake/pushed-table.ts'),
    import('../report/numbers.ts'),
  ])
  const c = await openCase(options.case)
  let progress = ''
  const waiting = startWaiting(() => `writing the table${progress}`)
  try {
    await noteWriter(c)
    const onProgress = (done: number, all: number) => {
      progress = `, hour ${integerText(done + 1)} of ${integerText(all)}`
    }
    const report = await pushCase(c, { to, signal, onProgress })
    waiting.stop()
    const statements = pushedDdl(options.engine, place.table, place.location, report.columns)
    const { records, silence, files, sources, sources_before } = report
    const before = sources_before === 0 ? '' : `; ${countText(sources_before, 'file')} of evidence were there already`
    const written =
      sources === 0
        ? 'nothing to write'
        : `${countText(records, 'record')} and ${countText(silence, 'line')} without data, from ${countText(sources, 'file')} of evidence, in ${countText(files.length, 'file')} of Parquet`
    await tell({ ...report, statements }, options, `${written}${before}`)
    const isPartial = c.evidence.some(isBroken) || c.problems.length > 0
    process.exitCode ||= await reportUnread(c.problems, isPartial, 'tidemark evidence --json lists them all')
  } finally {
    waiting.stop()
    await c.close()
  }
}

async function refuseBucket(folder: string, command: string): Promise<void> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(folder)) return
  const { UserError } = await import('../errors.ts')
  throw new UserError(`not a folder of this machine: ${folder}`, {
    status: 2,
    hint: `tidemark ${command} works on folders: copy with the AWS CLI (aws s3 sync), and name the bucket with --location`,
  })
}

/** The table's name, and where the engine finds the folder: without a word the folder itself, as this machine calls it. */
async function placeOf({ table, location }: Options, folder: string): Promise<{ table: string[]; location: string }> {
  const [{ parseLocation, parseTable }, { resolve }, { pathToFileURL }] = await Promise.all([
    import('../lake/table.ts'),
    import('node:path'),
    import('node:url'),
  ])
  return { table: parseTable(table), location: parseLocation(location ?? pathToFileURL(resolve(folder)).href) }
}

async function tell(found: Statements, options: Options, what: string): Promise<void> {
  const { visible } = await import('../report/text.ts')
  await note(`tidemark: ${visible(what)}`)
  if (options.location === undefined) {
    await note('tidemark: the location is the folder of this machine; --location names it as the engine does')
  }
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(found))
  } else {
    await print(found.statements.map(one => `${one};\n`).join('\n'))
  }
}
