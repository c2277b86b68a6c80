/** A stand-in for Athena: its JSON protocol for what the client asks, and S3 for the answers that it writes, on one address. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Statement {
  id: string
  text: string
  params: string[]
  token: string
  workgroup: string | undefined
  location: string | undefined
  database: string | undefined
  /** Minutes of which an earlier answer is taken; null: none is. */
  reuse: number | null
}

/** How a statement ends. */
export type Outcome =
  | { rows: readonly (readonly (string | null)[])[]; bytes?: number; names?: readonly string[] }
  | { state: 'FAILED' | 'CANCELLED'; reason: string; category?: number; retryable?: boolean }
  /** It runs until it is cancelled, and has read so much. */
  | { runs: true; bytes?: number }

export interface Request {
  /** `StartQueryExecution`, …, or `GET` of an object. */
  action: string
  body: Record<string, unknown>
  headers: IncomingMessage['headers']
  path: string
  /** How often it was asked before. */
  times: number
}

export interface AthenaStub {
  address: string
  /** Statements that were started, each token once. */
  started: Statement[]
  cancelled: string[]
  requests: Request[]
  /** What GetTableMetadata says; null: there is none. */
  table: object | null
  /** Looks that find a statement running. */
  looks: number
  /** Whether answers are in S3; else they come from Athena alone. */
  inS3: boolean
  /** How answers in S3 are encrypted. */
  encryption: string | null
  /** Sizes of the objects of tables, by their keys, in the bucket `logs`. */
  objects: Record<string, number>
  outcome: (statement: Statement) => Outcome | Promise<Outcome>
  /** An error in the place of an answer: AWS's name of it and status, maybe of a start that is done; or its answer is lost, or another; null: none. */
  fault: (
    request: Request,
  ) => { name: string; status: number; message?: string; isDone?: true } | { page: object } | 'lost' | null
  close(): Promise<void>
}

/** Credentials of the stand-in. They are in nothing that is written. */
export const canaries = {
  AWS_ACCESS_KEY_ID: 'AKIACANARYCANARY0077',
  AWS_SECRET_ACCESS_KEY: 'canary-secret-access-key-of-athena',
  AWS_SESSION_TOKEN: 'canary-session-token-of-athena',
  AWS_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
}

interface Run {
  statement: Statement
  outcome: Outcome
  looked: number
  isCancelled: boolean
}

const column = (name: string, type: string): object => ({ Name: name, Type: type })

/** Metadata of a table. @param types Hive's. */
export function metadata(
  types: Readonly<Record<string, string>>,
  { partitions = {} as Record<string, string>, parameters = {}, type = 'EXTERNAL_TABLE' } = {},
): object {
  const columns = (of: Readonly<Record<string, string>>): object[] => Object.entries(of).map(([k, v]) => column(k, v))
  return {
    ...{ Name: 'flows', TableType: type, Columns: columns(types) },
    ...{ PartitionKeys: columns(partitions), Parameters: parameters },
  }
}

export async function startAthena(): Promise<AthenaStub> {
  const runs = new Map<string, Run>()
  const seen = new Map<string, number>()
  const stub: AthenaStub = {
    ...{ address: '', started: [], cancelled: [], requests: [], table: null, looks: 1, inS3: true },
    ...{ encryption: null, objects: {} },
    outcome: () => ({ rows: [] }),
    fault: () => null,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const server = createServer((message, response) => {
    const pieces: Buffer[] = []
    message.on('data', (piece: Buffer) => pieces.push(piece))
    message.on('end', () => {
      const target = String(message.headers['x-amz-target'] ?? '')
      const action = target.startsWith('AmazonAthena.') ? target.slice('AmazonAthena.'.length) : message.method!
      const text = Buffer.concat(pieces).toString()
      const body = (action === message.method ? {} : JSON.parse(text)) as Record<string, unknown>
      const request = { action, body, headers: message.headers, path: message.url!, times: seen.get(action) ?? 0 }
      seen.set(action, request.times + 1)
      stub.requests.push(request)
      const fault = stub.fault(request)
      if (fault === 'lost') return void start(stub, runs, body).then(() => response.destroy())
      if (fault !== null && 'page' in fault) {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
        response.end(JSON.stringify(fault.page))
        return
      }
      if (fault !== null) {
        const refused = (): void => refuse(response, fault.status, fault.name, fault.message ?? 'no', action)
        return fault.isDone ? void start(stub, runs, body).then(refused) : refused()
      }
      void answer(stub, runs, request, response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  stub.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return stub
}

function refuse(response: ServerResponse, status: number, name: string, message: string, action: string): void {
  const isXml = action === 'GET'
  response.writeHead(status, { 'content-type': isXml ? 'application/xml' : 'application/x-amz-json-1.1' })
  response.end(
    isXml
      ? `<Error><Code>${name}</Code><Message>${message}</Message></Error>`
      : JSON.stringify({ __type: name, Message: message, message }),
  )
}

async function answer(stub: AthenaStub, runs: Map<string, Run>, request: Request, response: ServerResponse) {
  const { action, body } = request
  const said = (what: object): void => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify(what))
  }
  const run = runs.get(String(body['QueryExecutionId']))
  switch (action) {
    case 'StartQueryExecution':
      return said({ QueryExecutionId: await start(stub, runs, body) })
    case 'GetQueryExecution':
      return said({ QueryExecution: executionOf(stub, run!) })
    case 'StopQueryExecution':
      stub.cancelled.push(run!.statement.id)
      run!.isCancelled = true
      return said({})
    case 'GetQueryResults':
      return said(resultsOf(run!, body))
    case 'GetTableMetadata':
      if (stub.table !== null) return said({ TableMetadata: stub.table })
      return refuse(response, 400, 'MetadataException', 'EntityNotFoundException: Entity Not Found', action)
    case 'GET':
      if (request.path.includes('list-type=2')) return listing(stub, request.path, response)
      return object(runs, request, response)
    default:
      return refuse(response, 400, 'UnknownOperationException', action, action)
  }
}

async function start(stub: AthenaStub, runs: Map<string, Run>, body: Record<string, unknown>): Promise<string> {
  const token = String(body['ClientRequestToken'])
  const known = stub.started.find(one => one.token === token)
  if (known !== undefined) return known.id
  const context = body['QueryExecutionContext'] as { Database?: string } | undefined
  const result = body['ResultConfiguration'] as { OutputLocation?: string } | undefined
  const reuse = body['ResultReuseConfiguration'] as
    | { ResultReuseByAgeConfiguration?: { MaxAgeInMinutes?: number } }
    | undefined
  const statement: Statement = {
    id: `q-${stub.started.length + 1}`,
    text: String(body['QueryString']),
    params: (body['ExecutionParameters'] ?? []) as string[],
    token,
    workgroup: body['WorkGroup'] as string | undefined,
    location: result?.OutputLocation,
    database: context?.Database,
    reuse: reuse?.ResultReuseByAgeConfiguration?.MaxAgeInMinutes ?? null,
  }
  stub.started.push(statement)
  runs.set(statement.id, { statement, outcome: await stub.outcome(statement), looked: 0, isCancelled: false })
  return statement.id
}

function executionOf(stub: AthenaStub, run: Run): object {
  const { statement, outcome, isCancelled } = run
  const isRunning = run.looked++ < stub.looks || 'runs' in outcome
  const state = isCancelled ? 'CANCELLED' : isRunning ? 'RUNNING' : 'rows' in outcome ? 'SUCCEEDED' : outcome.state
  const failure = 'reason' in outcome && !isRunning ? outcome : null
  const isReused = statement.reuse !== null && hasAnswered(stub, statement)
  return {
    QueryExecutionId: statement.id,
    StatementType: 'DML',
    ...(stub.inS3 && {
      ResultConfiguration: {
        OutputLocation: `s3://results/athena/${statement.id}.csv`,
        ...(stub.encryption !== null && { EncryptionConfiguration: { EncryptionOption: stub.encryption } }),
      },
    }),
    Status: {
      State: state,
      ...(failure !== null && {
        StateChangeReason: failure.reason,
        AthenaError: { ErrorCategory: failure.category ?? 2, Retryable: failure.retryable ?? false },
      }),
    },
    Statistics: {
      DataScannedInBytes: 'bytes' in outcome && !isReused ? outcome.bytes : 0,
      ResultReuseInformation: { ReusedPreviousResult: isReused },
    },
  }
}

/** Whether the same was started before. */
function hasAnswered({ started }: AthenaStub, { id, text, params }: Statement): boolean {
  const first = started.find(one => one.text === text && String(one.params) === String(params))
  return first !== undefined && first.id !== id
}

function namesOf(outcome: Outcome): readonly string[] {
  if (!('rows' in outcome)) return []
  return outcome.names ?? (outcome.rows[0] ?? ['c0']).map((_, i) => `c${i}`)
}

const pageRows = 2

function resultsOf({ outcome }: Run, { NextToken: token }: Record<string, unknown>): object {
  const rows = 'rows' in outcome ? [namesOf(outcome), ...outcome.rows] : []
  const from = Number(token ?? 0)
  const page = rows.slice(from, from + pageRows)
  return {
    ResultSet: { Rows: page.map(row => ({ Data: row.map(one => (one === null ? {} : { VarCharValue: one })) })) },
    ...(from + pageRows < rows.length && { NextToken: String(from + pageRows) }),
  }
}

/** As Athena writes it: all but null between quotes. */
export function csvOf(rows: readonly (readonly (string | null)[])[]): string {
  return rows
    .map(row => `${row.map(one => (one === null ? '' : `"${one.replaceAll('"', '""')}"`)).join(',')}\n`)
    .join('')
}

function listing({ objects }: AthenaStub, path: string, response: ServerResponse): void {
  const prefix = new URL(path, 'http://stub').searchParams.get('prefix') ?? ''
  const found = Object.entries(objects).filter(([key]) => key.startsWith(prefix))
  const rest = (key: string): string => key.slice(prefix.length)
  const keys = found.filter(([key]) => !rest(key).includes('/'))
  const folders = new Set(found.flatMap(([key]) => /^[^/]*\//.exec(rest(key))?.[0] ?? []))
  const parts = [
    ...keys.map(([key, size]) => `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`),
    ...[...folders].map(one => `<CommonPrefixes><Prefix>${prefix}${one}</Prefix></CommonPrefixes>`),
  ]
  response.writeHead(200, { 'content-type': 'application/xml' })
  response.end(`<ListBucketResult><IsTruncated>false</IsTruncated>${parts.join('')}</ListBucketResult>`)
}

function object(runs: Map<string, Run>, { path, headers }: Request, response: ServerResponse): void {
  const id = /\/athena\/(.+)\.csv/.exec(path)?.[1] ?? ''
  const outcome = runs.get(id)?.outcome
  if (outcome === undefined || !('rows' in outcome)) {
    refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.', 'GET')
    return
  }
  const bytes = Buffer.from(csvOf([namesOf(outcome), ...outcome.rows]))
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  const end = Math.min(to === '' ? bytes.length : Number(to) + 1, bytes.length)
  const part = bytes.subarray(Number(from), end)
  response.writeHead(206, {
    'content-length': part.length,
    'content-range': `bytes ${from}-${end - 1}/${bytes.length}`,
    etag: `"${id}"`,
  })
  response.end(part)
}
