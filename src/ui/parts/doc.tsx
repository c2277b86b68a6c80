/** What a field means, where words of the logs and of the program stand between backticks. */
import type { JSX } from 'preact'

export function Doc({ text }: { text: string }): JSX.Element {
  return <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
}

/** For a tooltip. */
export function plainDoc(text: string): string {
  return text.replaceAll('`', '')
}
