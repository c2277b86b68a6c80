/** A server that speaks as much of CloudWatch Logs and EC2 as a reader of log groups needs. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface LogsEvent {
  eventId: string
  timestamp: number
  logStreamName: string
  message: string
}

export interface LogsStub {
  address: string
  events: LogsEvent[]
  flowLogs: { id: string; resource: string; traffic: string; format: string | null; group: string; made?: string }[]
  /** What was asked: actions, with their bodies. */
  requests: { action: string; body: string }[]
  /** Answers instead, for some requests. */
  fault: (action: string, times: number) => { status: number; code: string } | null
  /** Whether it gives all events, whatever time was asked for. */
  heedsNoTime?: true
}

const eventsOfPage = 7

export async function startLogsStub(
  t: TestContext,
  events: LogsEvent[],
  flowLogs: LogsStub['flowLogs'],
): Promise<LogsStub> {
  const stub: LogsStub = { address: '', events, flowLogs, requests: [], fault: () => null }
  const server = createServer((message, response) => {
    let body = ''
    message.on('data', (piece: Buffer) => {
      body += piece
    })
    message.on('end', () => {
      const target = message.headers['x-amz-target']?.toString()
      const action = target?.split('.')[1] ?? new URLSearchParams(body).get('Action') ?? ''
      const times = stub.requests.filter(one => one.action === action).length
      stub.requests.push({ action, body })
      const fault = stub.fault(action, times)
      if (fault !== null && target !== undefined) {
        response.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.1' })
        response.end(JSON.stringify({ __type: fault.code, message: 'no' }))
      } else if (fault !== null) {
        response.writeHead(fault.status, { 'content-type': 'text/xml' })
        response.end(
          `<Response><Errors><Error><Code>${fault.code}</Code><Message>no</Message></Error></Errors></Response>`,
        )
      } else if (action === 'FilterLogEvents') {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
        response.end(JSON.stringify(page(stub, JSON.parse(body) as Asked)))
      } else {
        response.writeHead(200, { 'content-type': 'text/xml' })
        response.end(described(stub))
      }
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  stub.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return stub
}

interface Asked {
  startTime: number
  endTime: number
  nextToken?: string
}

/** Every second page is empty, and each begins with the last event of the one before. */
function page(stub: LogsStub, { startTime, endTime, nextToken = '0' }: Asked): object {
  const all = stub.events.filter(
    ({ timestamp }) => stub.heedsNoTime || (timestamp >= startTime && timestamp <= endTime),
  )
  const number = Number(nextToken)
  const from = Math.floor(number / 2) * eventsOfPage
  const events = number % 2 === 0 ? [] : all.slice(Math.max(0, from - 1), from + eventsOfPage)
  const isLast = number % 2 === 1 && from + eventsOfPage >= all.length
  return { events, ...(!isLast && { nextToken: String(number + 1) }) }
}

function described({ flowLogs }: LogsStub): string {
  const items = flowLogs.map(
    ({ id, resource, traffic, format, group, made }) =>
      `<item><flowLogId>${id}</flowLogId><resourceId>${resource}</resourceId><trafficType>${traffic}</trafficType><logGroupName>${group}</logGroupName>${format === null ? '' : `<logFormat>${format}</logFormat>`}${made === undefined ? '' : `<creationTime>${made}</creationTime>`}</item>`,
  )
  return `<DescribeFlowLogsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><flowLogSet>${items.join('')}</flowLogSet></DescribeFlowLogsResponse>`
}
