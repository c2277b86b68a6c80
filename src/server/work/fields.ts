/** Answers: values of every field. */
import { elementOf } from '../../flows/elements.ts'
import { flowsMeaning } from '../../flows/explain.ts'
import { fieldValues } from '../../flows/field-values.ts'
import { listedFields } from '../../flows/listing.ts'
import { countedNames } from '../../flows/names.ts'
import type { FlowsRequest } from '../../flows/request.ts'
import { recordsOf } from '../../flows/source.ts'
import { flowFields } from '../../records/fields.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { Asked } from '../contract/common.ts'
import type { FieldAnswer, FieldAsk, FieldsAnswer } from '../contract/fields.ts'
import { windowRequest } from '../window-filter.ts'
import { fieldColumn } from './field-columns.ts'

async function fieldsAnswer(c: Case): Promise<FieldsAnswer> {
  const records = recordsOf(c)
  const { evidence, columns } = records
  const present = listedFields(columns).map(name => fieldColumn({ ...elementOf(name, records), unit: null }, evidence))
  const absent = flowFields
    .filter(({ name }) => evidence === 'logs' && !columns.has(name))
    .map(({ name, title, version, doc }) => ({ name, title, version, doc }))
  return { evidence, present, absent }
}

async function fieldAnswer(c: Case, asked: FieldAsk, { signal }: WorkContext): Promise<FieldAnswer> {
  const { field, top } = asked
  const request = windowRequest(c, asked, asked)
  const found = await fieldValues(c, request, field, top, { signal, files: false })
  return {
    ...(found as Omit<FieldAnswer, 'column' | 'asked'>),
    column: fieldColumn(found.column, recordsOf(c).evidence),
    asked: await askedOf(c, { ...request, by: [field], order: 'records', limit: top }, field, signal),
  }
}

async function askedOf(c: Case, request: FlowsRequest, field: string, signal: AbortSignal): Promise<Asked | null> {
  if (countedNames.includes(field)) return null
  const { sentence, sql } = await flowsMeaning(c, request, { signal, files: false })
  return { sentence, sql, command: flowsCommand(c, request) }
}

export const fieldsWork: Readonly<Record<string, Answerer<Case>>> = { fields: fieldsAnswer, field: fieldAnswer }
