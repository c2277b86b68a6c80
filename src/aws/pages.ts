/** Answers of AWS that come page by page, each with the mark of the next one. */
import { type Asked, AwsError } from './errors.ts'

/**
 * The mark of the next page; undefined: this is the last one.
 *
 * @param mark with which this page was asked for. @param next what this page says.
 * @throws AwsError where it is the same again: there would be no end.
 */
export function nextMark(asked: Asked, mark: string | undefined, next: string | undefined): string | undefined {
  if (next === undefined || next === '') return undefined
  if (next === mark) throw broken(asked, 'the service gives the same page again and again', 'SameToken')
  return next
}

/** The same of a listing of S3, which always says whether it goes on. @throws AwsError where it does not, or not where. */
export function nextOfListing(
  asked: Asked,
  mark: string | undefined,
  {
    IsTruncated,
    NextContinuationToken,
  }: { IsTruncated?: boolean | undefined; NextContinuationToken?: string | undefined },
): string | undefined {
  if (IsTruncated === undefined) throw broken(asked, 'the answer is not a listing of S3', 'NoList', noServer)
  if (!IsTruncated) return undefined
  const next = nextMark(asked, mark, NextContinuationToken)
  if (next === undefined) throw broken(asked, 'the listing is cut, and does not say where it goes on', 'Incomplete')
  return next
}

/** What to do where a server that is not AWS's, or a proxy, answers. */
export const noServer = 'does a server of this AWS service answer there? look at --endpoint and at the proxy'

/** What a server says is not what it was asked. */
export function broken({ doing }: Asked, what: string, code: string, hint = 'try again later'): AwsError {
  return new AwsError(`cannot ${doing}: ${what}`, hint, {
    ...{ code, http: null, about: 'all', isTransient: true },
  })
}
