/** Answers: values of every field. */
import { elementOf } from '../../flows/elements.ts'
import { flowsMeaning } from '../../flows/explain.ts'
import { type FieldValues, fewValues, fieldValues } from '../../flows/field-values.ts'
import { listedFields } from '../../flows/listing.ts'
import { countedNames } from '../../flows/names.ts'
import type { FlowsRequest } from '../../flows/request.ts'
import { recordsOf } from '../../flows/source.ts'
import { flowFields } from '../../records/fields.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { Asked } from '../contract/common.ts'
import type { FewAnswer, FewAsk, FieldAnswer, FieldAsk, FieldsAnswer } from '../contract/fields.ts'
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
  const found = await fieldValues(c, windowRequest(c, asked, asked), field, top, { signal, files: false })
  return answerOf(c, asked, field, found, signal)
}

/** All fields that have few values, which are read in one pass: by name. */
async function fewAnswer(c: Case, asked: FewAsk, { signal }: WorkContext): Promise<FewAnswer> {
  const { top } = asked
  const found = await fewValues(c, windowRequest(c, asked, asked), top, { signal, files: false })
  const answers: FewAnswer = {}
  for (const [field, values] of found) answers[field] = await answerOf(c, asked, field, values, signal)
  return answers
}

async function answerOf(
  c: Case,
  asked: FewAsk,
  field: string,
  found: FieldValues,
  signal: AbortSignal,
): Promise<FieldAnswer> {
  const request = { ...windowRequest(c, asked, asked), by: [field], order: 'records' as const, limit: asked.top }
  return {
    ...(found as Omit<FieldAnswer, 'column' | 'asked'>),
    column: fieldColumn(found.column, recordsOf(c).evidence),
    asked: await askedOf(c, request, field, signal),
  }
}

async function askedOf(c: Case, request: FlowsRequest, field: string, signal: AbortSignal): Promise<Asked | null> {
  if (countedNames.includes(field)) return null
  const { sentence, sql } = await flowsMeaning(c, request, { signal, files: false })
  return { sentence, sql, command: flowsCommand(c, request) }
}

export const fieldsWork: Readonly<Record<string, Answerer<Case>>> = {
  fields: fieldsAnswer,
  field: fieldAnswer,
  'few values': fewAnswer,
}
