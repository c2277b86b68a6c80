import type { Value } from '../store/duckdb.ts'

/** A piece of SQL with its values apart: text from users or evidence is never part of SQL text. */
export interface Sql {
  text: string
  values: Value[]
}

/**
 * Tags a template as SQL. A value becomes a parameter; another `Sql` is put in with its parameters.
 *
 * Parameters are written `?`, so that pieces can be joined in order.
 */
export function sql(parts: TemplateStringsArray, ...items: (Sql | Value)[]): Sql {
  let text = parts[0]!
  const values: Value[] = []
  for (const [i, item] of items.entries()) {
    if (isSql(item)) {
      text += item.text
      for (const value of item.values) values.push(value)
    } else {
      text += '?'
      values.push(item)
    }
    text += parts[i + 1]!
  }
  return { text, values }
}

/** SQL text of our own making, without values. */
export function rawSql(text: string): Sql {
  return { text, values: [] }
}

function isSql(item: Sql | Value): item is Sql {
  return typeof item === 'object' && item !== null && 'text' in item && 'values' in item
}
