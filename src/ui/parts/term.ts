/** What a value of the evidence is in the filter language. No DOM here. */

export interface Term {
  /** `10.0.0.1`, `443`: what is shown and copied. */
  text: string
  /** As a term of the filter language: `ip 10.0.0.1`. Null: it cannot be asked for. */
  filter: string | null
  /** The same as source and as destination, where there are sides. */
  source?: string
  destination?: string
  /** A page of its own: `/host/10.0.0.1`. */
  page?: string
}

/** A filter and one more term. */
export function joined(filter: string, term: string): string {
  const before = filter.trim()
  if (before === '') return term
  return /\bor\b|#|,/i.test(before) ? `(${before}) and ${term}` : `${before} and ${term}`
}

export function hostTerm(address: string): Term {
  return {
    text: address,
    filter: `ip ${address}`,
    source: `src ip ${address}`,
    destination: `dst ip ${address}`,
    page: `/host/${encodeURIComponent(address)}`,
  }
}
