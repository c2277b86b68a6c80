/** The commands and the SQL of what is on the screen. */
import { type Signal, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Asked } from '../../server/contract/common.ts'

/** Of the answers that the page shows, in their order on it. */
export const askedNow: Signal<readonly Asked[]> = signal([])

/** As long as the part that calls it is on the screen. */
export function useAsked(asked: Asked | null | undefined): void {
  const key = asked == null ? null : JSON.stringify(asked)
  useEffect(() => {
    if (asked == null) return
    askedNow.value = [...askedNow.peek(), asked]
    return () => {
      askedNow.value = askedNow.peek().filter(one => one !== asked)
    }
  }, [key])
}
