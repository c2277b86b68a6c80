/** The commands that give the figures on the page. */
import { useEffect } from 'preact/hooks'
import type { Asked } from '../../../server/contract/common.ts'
import type { PanelName, PanelsAnswer, PanelsAsk } from '../../../server/contract/view.ts'
import { post } from '../../api.ts'
import { askedNow } from '../../parts/asked.ts'

/** Milliseconds that a window stays before its commands are asked for. */
const after = 300

/** @param names of the panels that are shown; by default all. */
export function useCommands(asked: PanelsAsk, names?: readonly PanelName[]): void {
  const key = JSON.stringify(asked)
  useEffect(() => {
    const stopping = new AbortController()
    let shown: readonly Asked[] = []
    const timer = setTimeout(() => {
      post<PanelsAnswer>('/api/panels', asked, stopping.signal).then(
        answer => {
          shown = (names ?? (Object.keys(answer) as PanelName[])).map(name => answer[name])
          askedNow.value = [...shown, ...askedNow.peek()]
        },
        // The filter is wrong: the page says so where it is.
        () => undefined,
      )
    }, after)
    return () => {
      clearTimeout(timer)
      stopping.abort()
      askedNow.value = askedNow.peek().filter(one => !shown.includes(one))
    }
  }, [key])
}
