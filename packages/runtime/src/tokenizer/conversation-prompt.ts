import { isBrasaError } from '../errors.ts'
import type { ChatMessage, ToolCall, ToolDefinition } from '../protocol.ts'
import type { ChatTemplate, TemplateMessage, TemplateValue } from './chat-template.ts'

export interface ConversationOptions {
  /** What the model may call; none are mentioned where there are none. */
  readonly tools?: readonly ToolDefinition[] | undefined
  /** The last message is the assistant's and is to be gone on with. */
  readonly continuesAssistant?: boolean | undefined
  /** Up to where the assistant's answer begins; true where it is left out. */
  readonly addsGenerationPrompt?: boolean | undefined
}

/**
 * The prompt of a conversation, calls of tools and their results in it: by the template where it has calls as our grammar writes
 * them, else in words of our own, as messages that any template renders.
 * @throws BrasaError `template_failed`
 */
export function conversationPrompt(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  { tools = [], continuesAssistant = false, addsGenerationPrompt = true }: ConversationOptions = {},
): string {
  const turns = continuesAssistant ? messages.slice(0, -1) : messages
  const begun = continuesAssistant ? messages[messages.length - 1]!.content : ''
  const mentionsTools =
    tools.length > 0 || turns.some(({ role, tool_calls: calls = [] }) => role === 'tool' || calls.length > 0)
  const render = (given: readonly TemplateMessage[], offered?: readonly TemplateValue[]) =>
    template.render(given, {
      addGenerationPrompt: addsGenerationPrompt,
      ...(offered && { tools: offered }),
    }) + begun

  if (!mentionsTools) return render(turns.map(plainMessage))
  if (template.callsTools) {
    const offered = tools.length > 0 ? (tools as unknown as readonly TemplateValue[]) : undefined
    return render(turns.map(withCalls(turns)), offered)
  }
  const spelled = spelledOut(turns)
  if (tools.length === 0) return render(spelled)
  try {
    return render(withSystemPrompt(spelled, toolsPrompt(tools)))
  } catch (error) {
    if (!(isBrasaError(error) && error.code === 'template_failed')) throw error
    // Some templates have no place for a system prompt.
    return render(withPromptInQuestion(spelled, toolsPrompt(tools)))
  }
}

const plainMessage = ({ role, content, reasoning_content }: ChatMessage): TemplateMessage => ({
  role,
  content,
  ...(reasoning_content !== undefined && { reasoning_content }),
})

/** Messages as templates with tools read them: arguments as JSON and not as its text, results with the tool's name. */
const withCalls =
  (turns: readonly ChatMessage[]) =>
  (message: ChatMessage): TemplateMessage => {
    const { tool_calls: calls = [], tool_call_id: id } = message
    const name = turns.flatMap(({ tool_calls = [] }) => tool_calls).find((call) => call.id === id)
      ?.function.name
    return {
      ...plainMessage(message),
      ...(calls.length > 0 && { tool_calls: calls.map(templateCall) }),
      ...(id !== undefined && { tool_call_id: id, ...(name !== undefined && { name }) }),
    }
  }

const templateCall = ({ id, type, function: { name, arguments: text } }: ToolCall): TemplateValue => ({
  id,
  type,
  function: { name, arguments: parsed(text) },
})

function parsed(text: string): TemplateValue {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Calls and results as text: results of one round side by side in one turn of the user, as roles must take turns. */
function spelledOut(turns: readonly ChatMessage[]): TemplateMessage[] {
  const spelled: TemplateMessage[] = []
  for (const [index, message] of turns.entries()) {
    const { role, content, tool_calls: calls = [] } = message
    if (role === 'tool') {
      const result = `<tool_response>\n${content}\n</tool_response>`
      const last = turns[index - 1]?.role === 'tool' ? spelled.pop() : undefined
      spelled.push({ role: 'user', content: last ? `${last.content}\n${result}` : result })
    } else if (calls.length > 0) {
      const text = calls.map(({ function: { name, arguments: json } }) => {
        const value = JSON.stringify(name)
        return `<tool_call>\n{"name": ${value}, "arguments": ${json}}\n</tool_call>`
      })
      spelled.push({ ...plainMessage(message), content: [content, ...text].filter(Boolean).join('\n') })
    } else spelled.push(plainMessage(message))
  }
  return spelled
}

function toolsPrompt(tools: readonly ToolDefinition[]): string {
  const signatures = tools.map(({ function: { name, description, parameters } }) =>
    JSON.stringify({ name, description, parameters: parameters ?? { type: 'object', properties: {} } }),
  )
  return `You can call these functions, one JSON object a line:
<tools>
${signatures.join('\n')}
</tools>
To call one, write its name and its arguments in exactly this form, and nothing after the last call:
<tool_call>
{"name": "the function's name", "arguments": {"argument": "value"}}
</tool_call>
What it returns comes back between <tool_response> and </tool_response>. Call a function only where it helps; else just answer.`
}

function withSystemPrompt(messages: readonly TemplateMessage[], prompt: string): TemplateMessage[] {
  const [first, ...rest] = messages
  return first?.role === 'system'
    ? [{ ...first, content: `${first.content}\n\n${prompt}` }, ...rest]
    : [{ role: 'system', content: prompt }, ...messages]
}

function withPromptInQuestion(messages: readonly TemplateMessage[], prompt: string): TemplateMessage[] {
  const asked = messages.findIndex(({ role }) => role === 'user')
  return messages.map((message, i) =>
    i === asked ? { ...message, content: `${prompt}\n\n${message.content}` } : message,
  )
}
