/** Where a table of Athena is, as it is written. Region, profile and role are said as to all of AWS. */
import { isBucketName } from '../aws/bucket-name.ts'
import { exitStatus, UserError } from '../errors.ts'

export interface AthenaPlace {
  /** Athena's name of the data source. */
  catalog: string
  database: string
  table: string
}

export interface AthenaOptions {
  /** Null: `primary`, or what the account has made of it. */
  workgroup: string | null
  /** Where answers are written, `s3://bucket/prefix`; null: where the workgroup says. */
  outputLocation: string | null
  /** Answers that Athena gave to the same statement, at most this many minutes old, are taken: 1 to 10,080. Absent: none. */
  reuseMinutes?: number
}

const form = 'athena://DATABASE/TABLE, or athena://CATALOG/DATABASE/TABLE'
const usage = (what: string, hint: string): UserError => new UserError(what, { status: exitStatus.usage, hint })
const catalogByDefault = 'AwsDataCatalog'

/**
 * Reads `athena://database/table`.
 *
 * @throws UserError (status 2) for other text. What may hold a key is not repeated.
 */
export function parseAthenaPlace(text: string): AthenaPlace {
  if (!text.startsWith('athena://')) throw usage('not a table of Athena', `write ${form}`)
  const rest = text.slice('athena://'.length)
  if (/[@:?#]/.test(rest))
    throw usage(
      'the name of a table of Athena holds more than names',
      `write ${form}; credentials come from the environment or from a profile (--profile), the region from --region`,
    )
  const names = rest.split('/')
  const isGood = (names.length === 2 || names.length === 3) && names.every(name => /^[\w.-]{1,255}$/.test(name))
  if (!isGood) throw usage(`a table of Athena is named by database and table: ${text}`, `write ${form}`)
  const [table, database, catalog = catalogByDefault] = names.reverse() as [string, string, string?]
  return { catalog, database, table }
}

/** @throws UserError (status 2) for what is no place in S3. */
export function checkOutputLocation(location: string): void {
  const [, bucket = ''] = /^s3:\/\/([^/]*)(?:\/[^\p{Cc}?#]*)?$/u.exec(location) ?? []
  if (!isBucketName(bucket))
    throw usage('--output-location is no place in S3', 'it is like s3://bucket/athena-results/')
}
