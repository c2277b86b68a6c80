/** Names of buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */

/** Whether a bucket could be made with this name today: 3 to 63 lower-case letters, digits, dots and hyphens, and no address of IPv4. */
export function isNewBucketName(name: string): boolean {
  const isPlain = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)
  return isPlain && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name)
}

/**
 * Whether a bucket can have this name. Until March 2018 those of us-east-1 could have capital letters, underscores and up to 255 characters,
 * and they still do.
 */
export function isBucketName(name: string): boolean {
  return isNewBucketName(name) || (/^[A-Za-z0-9._-]{3,255}$/.test(name) && /[A-Z_]|^.{64}/.test(name))
}
