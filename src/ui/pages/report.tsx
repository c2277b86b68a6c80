/** Report. */
import type { JSX } from 'preact'

export function ReportPage(): JSX.Element {
  return <h1>Report</h1>
}
