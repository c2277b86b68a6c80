/**
 * The one table of flow-record fields.
 *
 * The row type, the columns of a segment, the readers' binding, the documentation and the titles all come from here.
 * To add a field: one row here and one golden (`docs/reference/fields.md` is checked against this table).
 *
 * Sources: AWS, "Flow log records" (VPC) and "Transit Gateway Flow Logs records"; fields of version 9 and later after
 * AWS's announcements. Names are AWS's with `-` written `_`, as AWS itself writes them in Parquet.
 */

/**
 * How a value is kept.
 * - `u8`, `u16`, `u64`: unsigned integers; `u64` counters are exact.
 * - `time`: UTC, microseconds since the epoch.
 * - `address`: 128 bits, IPv4 as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
 * - `text`: a word as the sensor wrote it.
 */
export type FieldType = 'u8' | 'u16' | 'u64' | 'time' | 'address' | 'text'

export interface FieldRow {
  name: string
  type: FieldType
  /** The flow-log version that brought the field; 6 is the version of Transit Gateway logs. */
  version: number
  title: string
  doc: string
}

/** One row per field of a flow record, in AWS's order. */
export const flowFields = [
  {
    name: 'version',
    type: 'u8',
    version: 2,
    title: 'Version',
    doc: 'Highest version among the fields of the layout; not a schema number.',
  },
  {
    name: 'account_id',
    type: 'text',
    version: 2,
    title: 'Account',
    doc: 'AWS account that owns the interface; `unknown` for interfaces that a service made.',
  },
  {
    name: 'interface_id',
    type: 'text',
    version: 2,
    title: 'Interface',
    doc: 'Network interface (ENI) that recorded the traffic: the sensor. Null at regional NAT gateways.',
  },
  {
    name: 'srcaddr',
    type: 'address',
    version: 2,
    title: 'Source',
    doc: 'Source as the interface saw it: the private address of the own side, or of a hop (NAT, gateway) that stands in for the true end.',
  },
  {
    name: 'dstaddr',
    type: 'address',
    version: 2,
    title: 'Destination',
    doc: 'Destination as the interface saw it; see srcaddr.',
  },
  {
    name: 'srcport',
    type: 'u16',
    version: 2,
    title: 'Source port',
    doc: 'Source port; 0 for protocols without ports.',
  },
  {
    name: 'dstport',
    type: 'u16',
    version: 2,
    title: 'Destination port',
    doc: 'Destination port; 0 for protocols without ports.',
  },
  { name: 'protocol', type: 'u8', version: 2, title: 'Protocol', doc: 'IANA protocol number.' },
  {
    name: 'packets',
    type: 'u64',
    version: 2,
    title: 'Packets',
    doc: 'Packets of this direction in the aggregation interval.',
  },
  {
    name: 'bytes',
    type: 'u64',
    version: 2,
    title: 'Bytes',
    doc: 'Bytes at the IP layer, headers included. Of a REJECTed record: bytes that were not delivered.',
  },
  {
    name: 'start',
    type: 'time',
    version: 2,
    title: 'Start',
    doc: 'First packet within the aggregation interval; may be up to 60 s late.',
  },
  {
    name: 'end',
    type: 'time',
    version: 2,
    title: 'End',
    doc: 'Last packet within the aggregation interval; may be up to 60 s late.',
  },
  {
    name: 'action',
    type: 'text',
    version: 2,
    title: 'Action',
    doc: 'ACCEPT or REJECT. REJECT also marks packets that came after a connection was closed. Null in Transit Gateway logs.',
  },
  {
    name: 'log_status',
    type: 'text',
    version: 2,
    title: 'Log status',
    doc: 'OK for every flow record; NODATA and SKIPDATA lines are kept apart, in `silence`.',
  },
  { name: 'vpc_id', type: 'text', version: 3, title: 'VPC', doc: 'VPC of the interface.' },
  { name: 'subnet_id', type: 'text', version: 3, title: 'Subnet', doc: 'Subnet of the interface.' },
  {
    name: 'instance_id',
    type: 'text',
    version: 3,
    title: 'Instance',
    doc: 'Instance of the interface; null at interfaces that a service manages (NAT, load balancer, gateway).',
  },
  {
    name: 'tcp_flags',
    type: 'u8',
    version: 3,
    title: 'TCP flags',
    doc: 'OR of FIN 1, SYN 2, RST 4 and SYN-ACK 18 over the interval; ACK and PSH alone are not recorded. Null is "unknown".',
  },
  { name: 'type', type: 'text', version: 3, title: 'Type', doc: 'IPv4, IPv6 or EFA.' },
  {
    name: 'pkt_srcaddr',
    type: 'address',
    version: 3,
    title: 'Packet source',
    doc: 'Source address in the packet itself.',
  },
  {
    name: 'pkt_dstaddr',
    type: 'address',
    version: 3,
    title: 'Packet destination',
    doc: 'Destination address in the packet itself.',
  },
  { name: 'region', type: 'text', version: 4, title: 'Region', doc: 'AWS region.' },
  { name: 'az_id', type: 'text', version: 4, title: 'Zone', doc: 'Availability zone id.' },
  {
    name: 'sublocation_type',
    type: 'text',
    version: 4,
    title: 'Sublocation type',
    doc: 'wavelength, outpost or localzone.',
  },
  { name: 'sublocation_id', type: 'text', version: 4, title: 'Sublocation', doc: 'Id of the sublocation.' },
  {
    name: 'pkt_src_aws_service',
    type: 'text',
    version: 5,
    title: 'Source service',
    doc: 'AWS service that the packet source belongs to; one name where ranges overlap.',
  },
  {
    name: 'pkt_dst_aws_service',
    type: 'text',
    version: 5,
    title: 'Destination service',
    doc: 'AWS service that the packet destination belongs to.',
  },
  {
    name: 'flow_direction',
    type: 'text',
    version: 5,
    title: 'Packet direction',
    doc: 'ingress or egress at the interface. It does not say who connected to whom.',
  },
  {
    name: 'traffic_path',
    type: 'u8',
    version: 5,
    title: 'Path',
    doc: 'Way out of an egress packet: 1 same VPC, 2 or 8 internet gateway, 3 virtual private gateway, 4 and 5 peering, 6 local gateway, 7 gateway endpoint.',
  },
  {
    name: 'resource_type',
    type: 'text',
    version: 6,
    title: 'Resource type',
    doc: 'TransitGateway or TransitGatewayAttachment.',
  },
  {
    name: 'tgw_id',
    type: 'text',
    version: 6,
    title: 'Transit gateway',
    doc: 'Transit gateway that recorded the traffic.',
  },
  {
    name: 'tgw_attachment_id',
    type: 'text',
    version: 6,
    title: 'Attachment',
    doc: 'Attachment that recorded the traffic: the sensor of Transit Gateway logs.',
  },
  {
    name: 'tgw_src_vpc_account_id',
    type: 'text',
    version: 6,
    title: 'Source account',
    doc: 'Account of the source VPC.',
  },
  {
    name: 'tgw_dst_vpc_account_id',
    type: 'text',
    version: 6,
    title: 'Destination account',
    doc: 'Account of the destination VPC.',
  },
  { name: 'tgw_src_vpc_id', type: 'text', version: 6, title: 'Source VPC', doc: 'VPC of the source.' },
  { name: 'tgw_dst_vpc_id', type: 'text', version: 6, title: 'Destination VPC', doc: 'VPC of the destination.' },
  { name: 'tgw_src_subnet_id', type: 'text', version: 6, title: 'Source subnet', doc: 'Subnet of the source.' },
  {
    name: 'tgw_dst_subnet_id',
    type: 'text',
    version: 6,
    title: 'Destination subnet',
    doc: 'Subnet of the destination.',
  },
  {
    name: 'tgw_src_eni',
    type: 'text',
    version: 6,
    title: 'Source interface',
    doc: 'Transit gateway interface on the source side.',
  },
  {
    name: 'tgw_dst_eni',
    type: 'text',
    version: 6,
    title: 'Destination interface',
    doc: 'Transit gateway interface on the destination side.',
  },
  { name: 'tgw_src_az_id', type: 'text', version: 6, title: 'Source zone', doc: 'Zone of the source.' },
  { name: 'tgw_dst_az_id', type: 'text', version: 6, title: 'Destination zone', doc: 'Zone of the destination.' },
  {
    name: 'tgw_pair_attachment_id',
    type: 'text',
    version: 6,
    title: 'Pair attachment',
    doc: 'The attachment on the other side of the gateway.',
  },
  {
    name: 'packets_lost_no_route',
    type: 'u64',
    version: 6,
    title: 'Lost: no route',
    doc: 'Packets dropped for want of a route.',
  },
  {
    name: 'packets_lost_blackhole',
    type: 'u64',
    version: 6,
    title: 'Lost: blackhole',
    doc: 'Packets dropped by a blackhole route.',
  },
  {
    name: 'packets_lost_mtu_exceeded',
    type: 'u64',
    version: 6,
    title: 'Lost: MTU',
    doc: 'Packets dropped for their size.',
  },
  {
    name: 'packets_lost_ttl_expired',
    type: 'u64',
    version: 6,
    title: 'Lost: TTL',
    doc: 'Packets dropped for an expired time to live.',
  },
  {
    name: 'ecs_cluster_arn',
    type: 'text',
    version: 7,
    title: 'ECS cluster ARN',
    doc: 'ARN of the ECS cluster of the task.',
  },
  { name: 'ecs_cluster_name', type: 'text', version: 7, title: 'ECS cluster', doc: 'Name of the ECS cluster.' },
  {
    name: 'ecs_container_instance_arn',
    type: 'text',
    version: 7,
    title: 'ECS instance ARN',
    doc: 'ARN of the container instance; null on Fargate.',
  },
  {
    name: 'ecs_container_instance_id',
    type: 'text',
    version: 7,
    title: 'ECS instance',
    doc: 'Id of the container instance; null on Fargate.',
  },
  {
    name: 'ecs_container_id',
    type: 'text',
    version: 7,
    title: 'ECS container',
    doc: 'Docker runtime id of the first container of the task.',
  },
  {
    name: 'ecs_second_container_id',
    type: 'text',
    version: 7,
    title: 'ECS second container',
    doc: 'Docker runtime id of the second container of the task.',
  },
  {
    name: 'ecs_service_name',
    type: 'text',
    version: 7,
    title: 'ECS service',
    doc: 'ECS service of the task; null for a standalone task.',
  },
  {
    name: 'ecs_task_definition_arn',
    type: 'text',
    version: 7,
    title: 'ECS task definition',
    doc: 'ARN of the task definition.',
  },
  { name: 'ecs_task_arn', type: 'text', version: 7, title: 'ECS task ARN', doc: 'ARN of the task.' },
  { name: 'ecs_task_id', type: 'text', version: 7, title: 'ECS task', doc: 'Id of the task.' },
  {
    name: 'reject_reason',
    type: 'text',
    version: 8,
    title: 'Reject reason',
    doc: 'BPA (VPC Block Public Access) or EC (encryption controls); null for security groups and network ACLs.',
  },
  {
    name: 'resource_id',
    type: 'text',
    version: 9,
    title: 'Resource',
    doc: 'Regional NAT gateway that recorded the traffic, where there is no interface.',
  },
  {
    name: 'encryption_status',
    type: 'u8',
    version: 10,
    title: 'Encryption',
    doc: '0 not encrypted, 1 by Nitro, 2 by the application, 3 by both.',
  },
  {
    name: 'instance_tag',
    type: 'text',
    version: 11,
    title: 'Instance tag',
    doc: 'Value of the chosen instance tag, percent-encoded UTF-8.',
  },
  {
    name: 'instance_tag_2',
    type: 'text',
    version: 11,
    title: 'Instance tag 2',
    doc: 'Value of the second chosen instance tag, percent-encoded UTF-8.',
  },
  {
    name: 'interface_tag',
    type: 'text',
    version: 11,
    title: 'Interface tag',
    doc: 'Value of the chosen interface tag, percent-encoded UTF-8.',
  },
  {
    name: 'interface_tag_2',
    type: 'text',
    version: 11,
    title: 'Interface tag 2',
    doc: 'Value of the second chosen interface tag, percent-encoded UTF-8.',
  },
  {
    name: 'asg_tag',
    type: 'text',
    version: 11,
    title: 'Group tag',
    doc: 'Value of the chosen Auto Scaling group tag, percent-encoded UTF-8.',
  },
  {
    name: 'asg_tag_2',
    type: 'text',
    version: 11,
    title: 'Group tag 2',
    doc: 'Value of the second chosen Auto Scaling group tag, percent-encoded UTF-8.',
  },
  {
    name: 'interface_type',
    type: 'text',
    version: 11,
    title: 'Interface type',
    doc: 'nat_gateway, network_load_balancer, regional_nat_gateway, transit_gateway or vpc_endpoint.',
  },
  {
    name: 'next_hop_interface_id',
    type: 'text',
    version: 11,
    title: 'Next hop',
    doc: 'Receiving interface of egress traffic, sending interface of ingress traffic.',
  },
  { name: 'next_hop_subnet_id', type: 'text', version: 11, title: 'Next hop subnet', doc: 'Subnet of the next hop.' },
  { name: 'next_hop_az_id', type: 'text', version: 11, title: 'Next hop zone', doc: 'Zone of the next hop.' },
  { name: 'next_hop_vpc_id', type: 'text', version: 11, title: 'Next hop VPC', doc: 'VPC of the next hop.' },
  {
    name: 'next_hop_interface_type',
    type: 'text',
    version: 11,
    title: 'Next hop type',
    doc: 'Type of the next hop interface.',
  },
] as const satisfies readonly FieldRow[]

export type FieldName = (typeof flowFields)[number]['name']

interface Values {
  u8: number
  u16: number
  u64: bigint
  time: bigint
  address: string
  text: string
}

/** A flow record as a person or a program reads it; unknown is null. */
export type FlowRecord = { [F in (typeof flowFields)[number] as F['name']]: Values[F['type']] | null }

const byName = new Map<string, FieldRow>(flowFields.map(field => [field.name, field]))

/** The field of that name, or undefined for a name that AWS had not invented when this was written. */
export function fieldNamed(name: string): FieldRow | undefined {
  return byName.get(name)
}

/** AWS's spelling in a text header, `pkt-srcaddr`, to the column's, `pkt_srcaddr`. */
export function columnName(awsName: string): string {
  return awsName.replaceAll('-', '_')
}

/** Columns that every segment has, whatever its layouts had: questions are asked of these. */
export const coreFields: readonly FieldName[] = [
  'interface_id',
  'srcaddr',
  'dstaddr',
  'srcport',
  'dstport',
  'protocol',
  'packets',
  'bytes',
  'start',
  'end',
  'action',
  'tcp_flags',
  'instance_id',
  'pkt_srcaddr',
  'pkt_dstaddr',
  'pkt_src_aws_service',
  'pkt_dst_aws_service',
  'resource_id',
  'tgw_attachment_id',
]
