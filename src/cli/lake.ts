import type { Command } from 'commander'
import type { LakePlace } from '../lake/places.ts'
import type { LakeEngine } from '../lake/table.ts'
import type { S3Uri } from '../sources/uri.ts'
import { noteWriter } from './added.ts'
import { Argument, Option } from './commander.ts'
import { interruptible } from './interrupt.ts'
import type { CommonOptions } from './options.ts'
import { note, print } from './output.ts'
import { startWaiting } from './progress.ts'
import { quoted } from './shell-words.ts'
import { type AwsCliOptions, addAwsOptions, awsOptionsOf, refuseAccountOptions } from './source-options.ts'
import { isBroken, reportUnread } from './unread.ts'

type Task = 'ddl' | 'push'

interface Options extends CommonOptions, AwsCliOptions {
  engine: LakeEngine
  table: string
  location?: string
  to?: string
}

/** Defines `tidemark lake`. */
export function lakeCommand(program: Command): void {
  const command = program
    .command('lake')
    .description(
      'Make flow logs a table of Trino or Athena: statements for what lies in a folder or bucket, or a case as files.',
    )
    .usage('[options] ddl FOLDER|s3://BUCKET/PREFIX\n       tidemark lake [options] push --to FOLDER')
    .addArgument(
      new Argument('<task>', 'ddl: print the statements for what lies there; push: write the case').choices([
        'ddl',
        'push',
      ]),
    )
    .argument('[folder]', 'of ddl: the folder, here or in S3, that holds AWSLogs, or to which a case was pushed')
    .addOption(
      new Option('--engine <engine>', 'who is to read the table').choices(['trino', 'athena']).default('trino'),
    )
    .option('--table <name>', 'name of the table, with schema and catalog before it if need be', 'flow_logs')
    .option('--location <uri>', 'where the engine finds the folder: s3://bucket/prefix, or local:///folder of Trino')
    .option('--to <folder>', 'of push: folder to write; what is there already is not written again')
    .option('--json', 'print one JSON document instead of the statements')
  addAwsOptions(command)
    .addHelpText('after', lakeHelp)
    .action(async (task: Task, folder?: string) => {
      const options = command.optsWithGlobals<Options>()
      await interruptible(signal => (task === 'ddl' ? ddl(options, folder, signal) : push(options, folder, signal)))
    })
}

const lakeHelp = `
ddl reads one header of each flow log (its order of fields never changes), or the columns of its Parquet, and prints what makes a table of the
files as they are. push writes the records of the case as Parquet in AWS's own schema, by day and hour, and prints what makes a table of
them, and, with --location s3://…, what copies them there. Statements are printed, never run.

Examples:
  tidemark lake ddl s3://my-flow-logs --engine athena
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
  const place = await placeOf(options, folder)
  const waiting = startWaiting(() => 'looking at what is there')
  try {
    const lake = await openPlace(folder, options, signal)
    try {
      await tellTables(lake, place, options, signal, () => waiting.stop())
    } finally {
      lake.close()
    }
  } finally {
    waiting.stop()
  }
}

async function openPlace(folder: string, options: Options, signal: AbortSignal): Promise<LakePlace> {
  const { bucketPlace, folderPlace } = await import('../lake/places.ts')
  if (/^s3:\/\//i.test(folder)) {
    const { parseSourceUri } = await import('../sources/uri.ts')
    return bucketPlace(parseSourceUri(folder) as S3Uri, awsOptionsOf(options), signal)
  }
  await refuseUri(folder, 'lake ddl works on folders, and on s3://BUCKET/PREFIX')
  refuseAccountOptions(options, 's3://')
  return folderPlace(folder, signal)
}

async function tellTables(
  lake: LakePlace,
  place: { table: string[]; location: string },
  options: Options,
  signal: AbortSignal,
  stopWaiting: () => void,
): Promise<void> {
  const { engine } = options
  const pushed = lake.manifests.filter(({ complete }) => complete)
  if (pushed.length > 0) {
    const [{ columnsOf }, { pushedDdl }] = await Promise.all([
      import('../lake/push.ts'),
      import('../lake/pushed-table.ts'),
    ])
    const files = pushed.flatMap(one => one.files)
    const rows = files.reduce((sum, one) => sum + one.rows, 0)
    const statements = pushedDdl(engine, place.table, place.location, columnsOf(pushed))
    stopWaiting()
    return tell(
      { statements, files: files.length, rows },
      options,
      `${files.length} files that were pushed, ${rows} rows`,
      place.location,
    )
  }
  const [{ findLayouts }, { ddlOf }] = await Promise.all([import('../lake/layouts.ts'), import('../lake/ddl.ts')])
  const found = await findLayouts(lake.files, signal)
  const statements = ddlOf(found, { engine, ...place })
  stopWaiting()
  const layouts = found.layouts.map(({ fields, kind, types, files, bytes, flowLogs, tree }) => ({
    ...{ kind, format: types === null ? 'text' : 'parquet', files, bytes, fields, flow_logs: [...flowLogs].sort() },
    tree: tree && { ...tree, accounts: [...tree.accounts].sort(), regions: [...tree.regions].sort() },
  }))
  const { files, headers, left_out } = found
  const { countText } = await import('../report/numbers.ts')
  const what = `${countText(files, 'file')}, ${countText(headers, 'header')} read, ${countText(layouts.length, 'order')} of fields`
  await tell({ statements, files, bytes: found.bytes, headers, layouts, left_out }, options, what, place.location)
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
  await refuseUri(
    to,
    `write a folder, and copy it there: tidemark lake push --to lake/ --location ${quoted(to)} prints the command`,
  )
  refuseAccountOptions(options, 'lake ddl s3://')
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
    await tell({ ...report, statements }, options, `${written}${before}`, place.location)
    if (/^s3:\/\//i.test(place.location)) await note(`tidemark: copy it there with ${copyWords(to, place.location)}`)
    const isPartial = c.evidence.some(isBroken) || c.problems.length > 0
    process.exitCode ||= await reportUnread(c.problems, isPartial, 'tidemark evidence --json lists them all')
  } finally {
    waiting.stop()
    await c.close()
  }
}

/** What lists the files comes last: until then nothing says that they are there. */
function copyWords(folder: string, location: string): string {
  const own = folder.replace(/\/+$/, '')
  const files = `aws s3 sync ${quoted(`${own}/`)} ${quoted(`${location}/`)} --exclude '_tidemark/*'`
  return `${files} && aws s3 sync ${quoted(`${own}/_tidemark/`)} ${quoted(`${location}/_tidemark/`)}`
}

async function refuseUri(folder: string, hint: string): Promise<void> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(folder)) return
  const { UserError } = await import('../errors.ts')
  throw new UserError(`not a folder of this machine: ${folder}`, { status: 2, hint })
}

/** The table's name, and where the engine finds the folder: without a word the folder itself, as this machine calls it. */
async function placeOf({ table, location }: Options, folder: string): Promise<{ table: string[]; location: string }> {
  const [{ parseLocation, parseTable }, { resolve }, { pathToFileURL }] = await Promise.all([
    import('../lake/table.ts'),
    import('node:path'),
    import('node:url'),
  ])
  const here = /^s3:\/\//i.test(folder) ? folder : pathToFileURL(resolve(folder)).href
  return { table: parseTable(table), location: parseLocation(location ?? here) }
}

async function tell(found: Statements, options: Options, what: string, location: string): Promise<void> {
  const { visible } = await import('../report/text.ts')
  await note(`tidemark: ${visible(what)}`)
  if (location.startsWith('file:')) {
    await note('tidemark: the location is the folder of this machine; --location names it as the engine does')
  }
  if (options.json) {
    const { toJson } = await import('../report/json.ts')
    await print(toJson(found))
  } else {
    await print(found.statements.map(one => `${one};\n`).join('\n'))
  }
}
