/** The formats of the flow logs that write to a log group, as EC2 describes them. */
import { ec2Client } from '../aws/clients.ts'
import { type Asked, ask } from '../aws/errors.ts'
import type { AwsOptions } from '../aws/options.ts'
import { nextMark } from '../aws/pages.ts'
import { UserError } from '../errors.ts'
import { countText } from '../net/counts.ts'

export interface GroupFormats {
  /** The header line of a stream's events; null: they get none. @throws UserError for a stream whose format is not known. */
  header(stream: string): string | null
  notes: string[]
  /** When the first of the flow logs was made, milliseconds since the epoch: who wrote before, and what, is not told. Null: not told. */
  since: number | null
}

interface FlowLog {
  id: string
  resource: string
  /** `ALL`, `ACCEPT` or `REJECT`. */
  traffic: string
  header: string
  made: number | null
}

/** Where the description names none. */
const defaultHeader =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'

const byHand = 'name the format: --format "version account-id …", or --format default'

/** @throws AwsError; UserError where no flow log writes there, and where several do whose streams cannot be told apart. */
export async function groupFormats(group: string, aws: AwsOptions, signal: AbortSignal): Promise<GroupFormats> {
  const flowLogs = await describe(group, aws, signal)
  if (flowLogs.length === 0)
    throw new UserError(`no flow log writes to the log group: ${group}`, {
      hint: `check the name and the region; where its flow log was deleted, ${byHand}`,
    })
  const notes = [
    `${countText(flowLogs.length, 'flow log')}: ${flowLogs
      .map(({ id }) => id)
      .slice(0, 5)
      .join(' ')}`,
  ]
  const headers = new Set(flowLogs.map(one => one.header))
  const times = flowLogs.flatMap(({ made }) => made ?? [])
  const since = times.length === flowLogs.length ? Math.min(...times) : null
  if (headers.size === 1) return { header: () => flowLogs[0]!.header, notes, since }
  const [one, other] = likeEachOther(flowLogs) ?? []
  if (one !== undefined && other !== undefined)
    throw new UserError(
      `flow logs of different formats write to ${group}, and into the same streams: ${one.id}, ${other.id}`,
      {
        hint: 'their lines cannot be told apart; have each write to a log group of its own, or to S3',
      },
    )
  return {
    header: stream => headerOf(stream, flowLogs, group),
    notes: [...notes, 'of different formats, told by their streams'],
    since,
  }
}

async function describe(group: string, aws: AwsOptions, signal: AbortSignal): Promise<FlowLog[]> {
  const { sdk, client } = await ec2Client(aws)
  const asked: Asked = {
    ...{ doing: `describe the flow logs of logs://${group}`, of: 'service', name: '', right: 'ec2:DescribeFlowLogs' },
  }
  const found: FlowLog[] = []
  let token: string | undefined
  do {
    const command = new sdk.DescribeFlowLogsCommand({
      Filter: [{ Name: 'log-group-name', Values: [group] }],
      ...(token !== undefined && { NextToken: token }),
    })
    const page = await ask(asked, () => client.send(command, { abortSignal: signal }), signal)
    for (const one of page.FlowLogs ?? []) {
      const { FlowLogId = '', ResourceId = '', TrafficType = 'ALL', LogFormat, LogGroupName, CreationTime } = one
      // Not every server heeds the filter.
      if (LogGroupName !== group) continue
      const header = (LogFormat || defaultHeader).replace(/\$\{([\w-]+)\}/g, '$1').trim()
      const made = CreationTime?.getTime() ?? null
      found.push({ id: FlowLogId, resource: ResourceId, traffic: TrafficType, header, made })
    }
    token = nextMark(asked, token, page.NextToken)
  } while (token !== undefined)
  client.destroy()
  return found
}

/** Two of different formats that may write to one stream: a stream is of an interface, and of what is logged of it. */
function likeEachOther(flowLogs: readonly FlowLog[]): [FlowLog, FlowLog] | null {
  for (const [i, one] of flowLogs.entries()) {
    for (const other of flowLogs.slice(i + 1)) {
      const areApart = isInterface(one) && isInterface(other) && one.resource !== other.resource
      if (one.header !== other.header && one.traffic === other.traffic && !areApart) return [one, other]
    }
  }
  return null
}

function isInterface({ resource }: FlowLog): boolean {
  return resource.startsWith('eni-')
}

/** Streams are called `eni-0a1b2c3d-all`, or `-accept`, `-reject`. */
function headerOf(stream: string, flowLogs: readonly FlowLog[], group: string): string {
  const [, resource, traffic] = /^(eni-[0-9a-f]+)-(all|accept|reject)$/.exec(stream) ?? []
  const own = flowLogs.filter(
    one => one.traffic === traffic?.toUpperCase() && (one.resource === resource || !isInterface(one)),
  )
  const headers = new Set(own.map(one => one.header))
  if (headers.size === 1) return own[0]!.header
  throw new UserError(`of the stream ${stream} of ${group} it is not known which flow log writes it`, {
    hint: 'flow logs of different formats write to the group: have each write to one of its own, or to S3',
  })
}
