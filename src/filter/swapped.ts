/** A filter as it would be of the other direction. */
import { isDeepStrictEqual } from 'node:util'
import type { Node, Side, TestNode, Value } from './ast.ts'

const sides: Partial<Record<Side, Side>> = { src: 'dst', dst: 'src' }
/** Values that say which direction a record is of. */
const words: Readonly<Record<string, string>> = {
  client: 'server',
  server: 'client',
  ingress: 'egress',
  egress: 'ingress',
}

/**
 * The same filter with source and destination in each other's place: a record that it matches would match the filter itself if it were of the
 * other direction. Null where that comes to the same filter.
 */
export function swapped(ast: Node): Node | null {
  const other = swap(ast)
  return isDeepStrictEqual(other, ast) ? null : other
}

function swap(node: Node): Node {
  switch (node.kind) {
    case 'and':
    case 'or':
      return { ...node, nodes: node.nodes.map(swap) }
    case 'not':
      return { ...node, node: swap(node.node) }
    case 'test':
      return swapTest(node)
    default:
      return node
  }
}

function swapTest(node: TestNode): TestNode {
  const { thing, side, test } = node
  if (thing === 'role' || thing === 'flowdir' || thing === 'flow_direction') {
    if (test.op === 'compare') return { ...node, test: { ...test, value: swapValue(test.value) } }
    return test.op === 'in' ? { ...node, test: { ...test, values: test.values.map(swapValue) } } : node
  }
  return { ...node, thing: swapField(thing), side: sides[side] ?? side }
}

function swapValue(value: Value): Value {
  return value.type === 'text' ? { ...value, text: words[value.text] ?? value.text } : value
}

/** A field of one end, by its own name: `pkt_srcaddr`, `dst_as`. */
function swapField(name: string): string {
  return name.replace(/^(pkt_)?(src|dst)/, (_, before: string | undefined, end: string) => {
    return `${before ?? ''}${end === 'src' ? 'dst' : 'src'}`
  })
}
