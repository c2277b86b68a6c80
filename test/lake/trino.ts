/** Asks Trino as plainly as its protocol allows: what the tests say of the cluster does not depend on the client that they test. */
import { lake } from './cluster.ts'

interface Answer {
  nextUri?: string
  columns?: { name: string; type: string }[]
  data?: unknown[][]
  error?: { errorName: string; message: string }
}

/** The rows of a statement, each by the names of its columns; numbers above 2^53 must be cast to text. @throws Error with Trino's words */
export async function ask(sql: string, schema = 'default'): Promise<Record<string, unknown>[]> {
  const headers = { 'X-Trino-User': 'tidemark', 'X-Trino-Catalog': 'hive', 'X-Trino-Schema': schema }
  const rows: Record<string, unknown>[] = []
  let response = await fetch(`${lake().trino}/v1/statement`, { method: 'POST', headers, body: sql })
  for (;;) {
    const answer = (await response.json()) as Answer
    if (answer.error) throw new Error(`${answer.error.errorName}: ${answer.error.message}`)
    for (const row of answer.data ?? []) {
      rows.push(Object.fromEntries(answer.columns!.map(({ name }, i) => [name, row[i]])))
    }
    if (answer.nextUri === undefined) return rows
    response = await fetch(answer.nextUri, { headers })
  }
}

/** Makes a schema of this test file's own. */
export async function ownSchema(name: string): Promise<string> {
  const schema = `${name}_${process.pid}`
  await ask(`CREATE SCHEMA hive.${schema}`)
  return schema
}
