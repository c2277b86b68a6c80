/** What AWS takes: its list prices of us-east-1, which the user can replace by their own. */

export interface Prices {
  /** Dollars for a terabyte (10^12 bytes) that Athena reads. */
  athena: number
  /** Dollars for a gigabyte (10^9 bytes) that leaves AWS. */
  egress: number
}

export const listPrices: Prices = { athena: 5, egress: 0.09 }

/** Athena charges each statement for at least this many bytes. */
const athenaLeast = 10e6

/** Dollars for statements of Athena by the bytes that each reads. */
export function athenaPrice(bytes: number, statements: number, { athena }: Prices): number {
  return (Math.max(bytes, athenaLeast) * statements * athena) / 1e12
}
