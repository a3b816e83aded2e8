import * as v from 'valibot'
import { oneOf, text } from './request-entries.ts'
import type { ChatMessage } from './types.ts'

const contentAllowed = 'a string, or a list of at least one text part'
const part = v.strictObject(
  { type: v.literal('text', '"text"'), text: text() },
  'a text part, { type: "text", text }',
)
const contentSchema = v.union(
  [v.string(contentAllowed), v.pipe(v.array(part, contentAllowed), v.minLength(1, contentAllowed))],
  contentAllowed,
)

const toolCallSchema = v.strictObject(
  {
    id: text(),
    type: v.literal('function', '"function"'),
    function: v.strictObject({ name: text(), arguments: text('a string of JSON') }, '{ name, arguments }'),
    index: v.optional(v.number()),
  },
  '{ id, type: "function", function }',
)

const spoken = (role: 'system' | 'developer' | 'user') =>
  v.strictObject({ role: v.literal(role), content: contentSchema }, '{ role, content }')

/** Of a chat request. `reasoning_content` and `refusal` come back as answers have them. */
export const messageSchema = v.variant(
  'role',
  [
    spoken('system'),
    spoken('developer'),
    spoken('user'),
    v.strictObject(
      {
        role: v.literal('assistant'),
        content: v.optional(v.nullable(contentSchema)),
        reasoning_content: v.optional(v.nullable(text())),
        refusal: v.optional(v.null('null')),
        tool_calls: v.optional(v.nullable(v.array(toolCallSchema, 'a list of calls'))),
      },
      '{ role, content } with tool_calls and reasoning_content if there are some',
    ),
    v.strictObject(
      { role: v.literal('tool'), content: contentSchema, tool_call_id: text() },
      '{ role, content, tool_call_id }',
    ),
  ],
  oneOf('{ role, content }', 'system', 'developer', 'user', 'assistant', 'tool'),
)

/** The messages as models know them: texts joined, `developer` as the system that it stands for. */
export function conversationOf(messages: readonly v.InferOutput<typeof messageSchema>[]): ChatMessage[] {
  return messages.map((message) => {
    const content = contentText(message.content)
    if (message.role === 'developer') return { role: 'system', content }
    if (message.role === 'tool') return { role: 'tool', content, tool_call_id: message.tool_call_id }
    if (message.role !== 'assistant') return { role: message.role, content }
    const { reasoning_content: thought, tool_calls } = message
    return {
      role: 'assistant',
      content,
      ...(typeof thought === 'string' && { reasoning_content: thought }),
      ...(tool_calls?.length && { tool_calls: tool_calls.map(({ index: _, ...call }) => call) }),
    }
  })
}

/** Parts follow one another without a break. */
export function contentText(content: v.InferOutput<typeof contentSchema> | null | undefined): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((item) => item.text).join('')
}
