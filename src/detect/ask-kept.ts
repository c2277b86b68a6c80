/** Questions of the kept connections of a case that stand in the place of the rules. */
import { type KeptConnections, withConnections } from '../conversations/kept-connections.ts'
import { gatherSpans } from '../investigate/coverage.ts'
import type { Prefix } from '../net/prefix.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { type DetectOptions, ownNetworks } from './detect.ts'

/** What such a question is given. */
export interface Asked {
  c: Case
  index: RecordIndex
  kept: KeptConnections
  /** The analyst's own networks, beside the private ones. */
  own: readonly Prefix[]
}

/**
 * Answers one, and tells which files of the analyst's own networks were used. What the evidence covers is worked out by the database in threads
 * of its own, while connections are read.
 *
 * @throws UserError (status 2) for what is no prefix; where there is too little memory for the conversations.
 */
export async function askKept<T>(
  c: Case,
  options: Pick<DetectOptions, 'internal' | 'enrichment' | 'limits' | 'signal'>,
  answer: (asked: Asked) => Promise<T>,
): Promise<T & Awaited<ReturnType<typeof ownNetworks>>['files']> {
  const { own, files } = await ownNetworks(c, options)
  return question(c, options.signal, async asked => {
    const [, found] = await Promise.all([
      gatherSpans(asked),
      withRecordIndex(asked, asked.source, index =>
        withConnections(asked, index, { evidence: asked.source, own, limits: options.limits }, kept =>
          answer({ c: asked, index, kept, own }),
        ),
      ),
    ])
    return { ...found, ...files }
  })
}
