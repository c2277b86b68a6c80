/** Fields of records as the page tells them: name, title, unit and meaning. */
import type { FlowsColumn } from '../../flows/request.ts'
import type { EvidenceKind } from '../../records/evidence-kind.ts'
import { fieldNamed } from '../../records/fields.ts'
import { packetFlowFields } from '../../records/packet-fields.ts'
import type { FieldColumn } from '../contract/flows.ts'

const ofPackets = new Map<string, string>(packetFlowFields.map(({ name, doc }) => [name, doc]))
const unknownField = 'A field of the logs that Tidemark has no name for: its text as it stands there.'
const capture = 'The capture that recorded the traffic: the sensor.'

export function fieldColumn(
  { name, type, unit }: Pick<FlowsColumn, 'name' | 'type' | 'unit'>,
  evidence: EvidenceKind,
): FieldColumn {
  const field = fieldNamed(name)
  const doc = evidence === 'logs' ? field?.doc : name === 'interface_id' ? capture : ofPackets.get(name)
  const title = field?.title ?? name.replace(/_/g, ' ').replace(/^./, first => first.toUpperCase())
  return { name, title, type: type === 'prefix' ? 'address' : type, unit, doc: doc ?? unknownField }
}
