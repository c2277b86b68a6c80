/** Parts of a report, in its words: a tree of blocks as the server sends it. */
import './blocks.css'
import type { ComponentChildren, JSX } from 'preact'
import type { Words as Sentence } from '../../server/contract/controls.ts'
import type { PageBlock } from '../../server/contract/host.ts'
import { visible, visibleLines } from '../text.ts'
import { hostTerm, networkTerm } from './term.ts'
import { Value } from './value.tsx'

type Of<Kind extends PageBlock['block']> = Extract<PageBlock, { block: Kind }>
type Text = Of<'paragraph'>['text']
type Inline = Extract<Text, readonly unknown[]>[number]

/** @param depth of the headings above. */
export function Blocks({ blocks, depth = 2 }: { blocks: readonly PageBlock[]; depth?: number }): JSX.Element {
  return (
    <div class="blocks">
      {blocks.map((block, i) => (
        <One key={i} block={block} depth={depth} />
      ))}
    </div>
  )
}

function One({ block, depth }: { block: PageBlock; depth: number }): JSX.Element | null {
  switch (block.block) {
    case 'title':
    case 'heading':
      return <Heading depth={depth + 1}>{said(block.text)}</Heading>
    case 'paragraph':
      return <p>{said(block.text)}</p>
    case 'note':
      return <p>Note: {said(block.text)}</p>
    case 'warning':
      return (
        <p class="warns">
          <strong>{said(block.text)}</strong>
        </p>
      )
    case 'list':
      return (
        <ul>
          {block.items.map((item, i) => (
            <li key={i}>{said(item)}</li>
          ))}
        </ul>
      )
    case 'facts':
      return <Facts facts={block.facts} />
    case 'table':
      return <TableOf table={block} />
    case 'code':
      return <pre>{visibleLines(block.text)}</pre>
    case 'entry':
      return (
        <section>
          <Heading depth={depth + 1}>
            {said(block.label)} {said(block.title)}
          </Heading>
          <Blocks blocks={block.body} depth={depth + 1} />
        </section>
      )
    case 'inset':
      return (
        <div class="inset">
          <Blocks blocks={block.body} depth={depth} />
        </div>
      )
    case 'fold':
      return (
        <details>
          <summary>{visible(block.title)}</summary>
          <Blocks blocks={block.body} depth={depth} />
        </details>
      )
    case 'either':
      return <Blocks blocks={block.wide} depth={depth} />
    case 'shared-paths':
      return <Blocks blocks={block.body} depth={depth} />
    case 'figure':
      return <TableOf table={block.data} />
    // What the page draws itself, or shows elsewhere.
    case 'gap':
    case 'bars':
    case 'sheet':
    case 'quotes':
      return null
  }
}

function Heading({ depth, children }: { depth: number; children: ComponentChildren }): JSX.Element {
  const Name = depth <= 2 ? 'h2' : depth === 3 ? 'h3' : 'h4'
  return <Name>{children}</Name>
}

function Facts({ facts }: { facts: Of<'facts'>['facts'] }): JSX.Element {
  return (
    <dl>
      {facts.map(({ name, values }, i) => (
        <div key={i}>
          <dt>{visible(name)}</dt>
          {values.map((value, at) => (
            <dd key={at}>{said(value)}</dd>
          ))}
        </div>
      ))}
    </dl>
  )
}

function TableOf({ table: { columns, rows } }: { table: Of<'table'> }): JSX.Element {
  const look = (i: number): string | undefined => (columns[i]?.align === 'right' ? 'number' : undefined)
  return (
    <div class="scroll">
      <table class="table">
        <thead>
          <tr>
            {columns.map(({ title }, i) => (
              <th key={i} scope="col" class={look(i)}>
                {visible(title)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ cells }, at) => (
            <tr key={at}>
              {cells.map((cell, i) => (
                <td key={i} class={look(i)}>
                  {said(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** A sentence, with its values as what they are. */
export function Words({ of }: { of: Text | Sentence }): JSX.Element {
  return <>{said(of)}</>
}

/** A text with its parts: an address is a link. */
function said(text: Text | Sentence): ComponentChildren {
  const parts: readonly Inline[] = Array.isArray(text) ? (text as readonly Inline[]) : [text as Inline]
  return parts.map((part, i) => (typeof part === 'string' ? visible(part) : <PartOf key={i} part={part} />))
}

function PartOf({ part: { kind, text } }: { part: Exclude<Inline, string> }): JSX.Element {
  switch (kind) {
    case 'address':
      return <Value term={text.includes('/') ? networkTerm(text) : hostTerm(text)} />
    case 'strong':
      return <strong>{visible(text)}</strong>
    case 'alarm':
      return <strong class="alarm">{visible(text)}</strong>
    case 'good':
      return <strong class="good">{visible(text)}</strong>
    case 'command':
      return <code>{visible(text)}</code>
    case 'struck':
      return <s>{visible(text)}</s>
    default:
      return <span class={kind}>{visible(text)}</span>
  }
}
