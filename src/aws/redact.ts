/**
 * What was read as a secret by this process. Kept here, and not handed from call to call, so that no text can be written by somebody
 * who was not told of one.
 */
const kept = new Set<string>()

/** Shorter values would hide ordinary words. */
const secretLengthMin = 8

/** Variables of the environment that hold secrets of AWS. */
const secretVariables = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_BEARER_TOKEN_BEDROCK',
]

const hidden = '[hidden]'

/** From now on `redacted` hides it, also as it stands in a URL. */
export function keepSecret(secret: string | undefined): void {
  if (secret === undefined || secret.length < secretLengthMin) return
  kept.add(secret)
  kept.add(encodeURIComponent(secret))
}

/**
 * A text without the secrets that it may hold: credentials that were used or stand in the environment, ids of access keys, signatures, tokens
 * of sessions, user and password in an address. For everything that is said of AWS, of a proxy, or of a server that was logged in to.
 */
export function redacted(text: string): string {
  for (const name of secretVariables) keepSecret(process.env[name])
  let said = text
  for (const secret of longestFirst(kept)) said = said.replaceAll(secret, hidden)
  return said
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, hidden)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${hidden}@`)
    .replace(/\b(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s"']+/gi, `$1${hidden}`)
    .replace(/\b((?:Proxy-)?Authorization\s*[:=]\s*)[^\r\n]+/gi, `$1${hidden}`)
    .replace(/\b(Signature=)[0-9a-f]{16,}/gi, `$1${hidden}`)
    .replace(/\b(x-amz-security-token\s*[:=]\s*)[^\s"',]+/gi, `$1${hidden}`)
    .replace(/\b(aws_?(?:secret_?access_?key|session_?token)["']?\s*[:=]\s*["']?)[^\s"',]+/gi, `$1${hidden}`)
}

/** One that holds another must go first. */
function longestFirst(secrets: Iterable<string>): string[] {
  return [...secrets].sort((a, b) => b.length - a.length)
}
