/** Controls as code. */
import type { CodeFormat } from './artefact.ts'
import { awsCliOf } from './aws-cli.ts'
import { cloudformationOf } from './cloudformation.ts'
import type { CodeContext, CodeItem } from './plan.ts'
import { planOf } from './planning.ts'
import { terraformOf } from './terraform.ts'

export type { CodeContext, CodeItem } from './plan.ts'

const printers = { terraform: terraformOf, cloudformation: cloudformationOf, aws_cli: awsCliOf }

/**
 * One document that puts the controls in place, or null where none of them is code.
 *
 * What is attached to traffic (a group to an interface, an ACL to a subnet) is a step that a variable must ask for. Ids that the evidence does not
 * tell are variables without a value, which stop the document with a message. Equal items give equal text.
 */
export function codeOf(items: readonly CodeItem[], context: CodeContext, format: CodeFormat): string | null {
  const plan = planOf(items, context, format)
  return plan.parts.length === 0 ? null : printers[format](plan)
}
