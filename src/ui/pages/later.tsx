/** A page whose script is fetched when it is first gone to. */
import type { ComponentType, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

export function later(load: () => Promise<ComponentType>): ComponentType {
  let page: ComponentType | null = null
  return function Later(): JSX.Element {
    const [error, fail] = useState<unknown>(null)
    const [, draw] = useState(false)
    useEffect(() => {
      if (page !== null) return
      load().then(loaded => {
        page = loaded
        draw(true)
      }, fail)
    }, [])
    if (error !== null) throw error
    const Page = page
    return Page === null ? <p class="muted pad">Loading the page…</p> : <Page />
  }
}
