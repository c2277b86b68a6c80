/** Sentences of the program, with their values as what they are. */
import type { JSX } from 'preact'
import type { Words as Said } from '../../server/contract/words.ts'
import { visible } from '../text.ts'
import { hostTerm } from './term.ts'
import { Value } from './value.tsx'

export function Words({ of }: { of: Said }): JSX.Element {
  return (
    <>
      {of.map((word, at) => {
        if (typeof word === 'string') return visible(word)
        const { kind, text } = word
        if (kind === 'address') return <Value key={at} term={hostTerm(text)} />
        if (kind === 'command' || kind === 'path') return <code key={at}>{visible(text)}</code>
        if (kind === 'strong' || kind === 'alarm' || kind === 'good') return <strong key={at}>{visible(text)}</strong>
        return visible(text)
      })}
    </>
  )
}
