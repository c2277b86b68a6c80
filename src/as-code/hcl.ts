/** Writes HCL, laid out as `terraform fmt` does. */

/** An expression that is written as it is: a reference, a condition. */
export interface Expression {
  expression: string
}

export type HclValue = string | number | boolean | Expression | HclValue[]

export type HclItem =
  | { attribute: string; value: HclValue }
  | { block: string[]; items: HclItem[] }
  | { comment: string[] }

/** A block of the language: its type, its labels and what it holds. Attributes without a value are left out. */
export function block(head: string[], ...items: (HclItem | null)[]): HclItem {
  return { block: head, items: items.filter(item => item !== null) }
}

export function attribute(name: string, value: HclValue | null | undefined): HclItem | null {
  return value === null || value === undefined ? null : { attribute: name, value }
}

/** A quoted template without anything to expand (HCL Native Syntax Specification, "Template Expressions"). */
export function hclString(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(/[$%](?=\{)/g, '$&$&')
  return `"${escaped}"`
}

/** A comment stands right above what follows it. */
export function printHcl(items: readonly HclItem[]): string {
  const texts = items.map(item => lines([item], '').join('\n') + ('comment' in item ? '' : '\n'))
  return `${texts.join('\n').trimEnd()}\n`
}

/** Attributes that follow one another have their `=` in one column; blocks have an empty line around them. */
function lines(items: readonly HclItem[], indent: string): string[] {
  const out: string[] = []
  for (const [i, item] of items.entries()) {
    const before = items[i - 1]
    const apart = before !== undefined && !('comment' in before) && ('block' in item || 'block' in before)
    if (apart) out.push('')
    if ('comment' in item) out.push(...item.comment.map(line => `${indent}# ${line}`.trimEnd()))
    else if ('attribute' in item)
      out.push(`${indent}${item.attribute.padEnd(columnAt(items, i))} = ${valueText(item.value, indent)}`)
    else out.push(...blockLines(item.block, item.items, indent))
  }
  return out
}

/** Width of the longest name among the attributes around the one at `i`. */
function columnAt(items: readonly HclItem[], i: number): number {
  const isAttribute = (at: number) => items[at] !== undefined && 'attribute' in items[at]
  let from = i
  let to = i
  while (isAttribute(from - 1)) from--
  while (isAttribute(to + 1)) to++
  return Math.max(...items.slice(from, to + 1).map(item => ('attribute' in item ? item.attribute.length : 0)))
}

function blockLines([type, ...labels]: string[], items: readonly HclItem[], indent: string): string[] {
  const head = [type, ...labels.map(label => hclString(label))].join(' ')
  if (items.length === 0) return [`${indent}${head} {}`]
  return [`${indent}${head} {`, ...lines(items, `${indent}  `), `${indent}}`]
}

function valueText(value: HclValue, indent: string): string {
  if (Array.isArray(value)) {
    const items = value.map(item => valueText(item, indent))
    return items.length < 3
      ? `[${items.join(', ')}]`
      : `[\n${items.map(item => `${indent}  ${item},\n`).join('')}${indent}]`
  }
  if (typeof value === 'string') return hclString(value)
  return typeof value === 'object' ? value.expression : String(value)
}
