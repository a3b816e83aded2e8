import type { Interpreter } from '@huggingface/jinja'
import { pythonText, type TemplateRuntimeValue } from './python-text.ts'

/** A node of a parsed template. */
export type TemplateNode = NonNullable<Parameters<Interpreter['evaluate']>[0]>

interface Filtered extends TemplateNode {
  readonly operand: TemplateNode
  readonly filter:
    | { readonly type: 'Identifier'; readonly value: string }
    | {
        readonly type: 'CallExpression'
        readonly callee: { readonly value: string }
        readonly args: readonly { readonly value?: unknown }[]
      }
}

interface Loop extends TemplateNode {
  readonly iterable: TemplateNode
}

const isFiltered = (node: TemplateNode): node is Filtered => node.type === 'FilterExpression'
const isLoop = (node: TemplateNode): node is Loop => node.type === 'For'

/**
 * The node to evaluate in place of `node`: where the library does otherwise than Jinja, and templates of the field rely on
 * Jinja, one that does the same in both.
 *
 * @param evaluate gives a part of the node its value
 */
export function asInJinja(
  node: TemplateNode,
  evaluate: (node: TemplateNode) => TemplateRuntimeValue,
): TemplateNode {
  if (isLoop(node)) return withIterable(node, evaluate)
  if (!isFiltered(node)) return node
  const { filter, operand } = node
  // The library knows these of strings and numbers only, and templates have it of tools and of what is not there.
  if (filter.type === 'Identifier' && (filter.value === 'string' || filter.value === 'trim')) {
    const text = pythonText(evaluate(operand))
    return textNode(filter.value === 'trim' ? text.trim() : text)
  }
  // `selectattr(name, 'undefined')` selects nothing there; what is not defined is left by the opposite filter.
  if (filter.type === 'CallExpression' && filter.args[1]?.value === 'undefined') {
    const opposite = { selectattr: 'rejectattr', rejectattr: 'selectattr' }[filter.callee.value]
    if (opposite === undefined) return node
    const callee = { ...filter.callee, value: opposite }
    const args = [filter.args[0], { ...filter.args[1], value: 'defined' }]
    return { ...node, filter: { ...filter, callee, args } } as TemplateNode
  }
  return node
}

/** Loops over what is not defined, which is nothing, and over the characters of a text. The library has neither. */
function withIterable(loop: Loop, evaluate: (node: TemplateNode) => TemplateRuntimeValue): TemplateNode {
  if (loop.iterable.type !== 'MemberExpression' && loop.iterable.type !== 'Identifier') return loop
  const { type, value } = evaluate(loop.iterable)
  if (type !== 'UndefinedValue' && type !== 'StringValue') return loop
  const items = Array.from(typeof value === 'string' ? value : '', textNode)
  return { ...loop, iterable: { type: 'ArrayLiteral', value: items } } as TemplateNode
}

const textNode = (value: string) => ({ type: 'StringLiteral', value }) as TemplateNode & { value: string }
