/** A page that cannot be drawn says so, and the rest of the workbench stays usable. */
import { Component, type ComponentChildren } from 'preact'
import { goTo, linkTo } from '../state.ts'
import { visible } from '../text.ts'
import { CopyButton } from './copy.tsx'

interface Props {
  children: ComponentChildren
}

export class Boundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null }

  static override getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render() {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <div class="error" role="alert">
        <p>This page could not be drawn: {visible(error.message)}</p>
        <p class="muted">It is a fault of the program, not of the evidence. The other pages work.</p>
        <button type="button" onClick={() => this.setState({ error: null })}>
          Try again
        </button>
        <a
          class="button"
          href={linkTo({ path: '/', own: {}, filter: '' })}
          onClick={event => {
            event.preventDefault()
            goTo('/', { filter: '', from: null, to: null })
          }}
        >
          Overview, without a filter
        </a>
        <CopyButton text={error.stack ?? error.message} what="what happened">
          Copy what happened
        </CopyButton>
      </div>
    )
  }
}
