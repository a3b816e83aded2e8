import type { ToolCallDelta } from '../protocol.ts'

/** How a call stands in an answer: Hermes' way, which Qwen was trained on and which others are asked for. */
export const toolCallTags = {
  open: '<tool_call>',
  begin: (name: string): string => `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": `,
  end: '}\n</tool_call>',
} as const

export interface ToolCallPiece {
  readonly content: string
  readonly toolCalls: readonly ToolCallDelta[]
}

/** Takes calls out of an answer as its text comes. Never gives out what may become a tag. */
export interface ToolCallParser {
  push(text: string): ToolCallPiece
  /** What was held back in case it became a call. */
  end(): ToolCallPiece
  readonly numCalls: number
}

/** Calls as the grammar of `tools` has them: its begin and end, letter by letter. White space between calls is left out. */
export function createToolCallParser(createId: () => string = newCallId): ToolCallParser {
  let state: 'text' | 'head' | 'arguments' | 'tail' = 'text'
  /** What is not given out yet. */
  let held = ''
  let numCalls = 0
  let json = { depth: 0, inString: false, isEscaped: false }

  /** Index past the end of the arguments, or -1 while they go on. */
  function endOfArguments(text: string): number {
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!
      if (json.isEscaped) json.isEscaped = false
      else if (json.inString) {
        if (character === '\\') json.isEscaped = true
        else if (character === '"') json.inString = false
      } else if (character === '"') json.inString = true
      else if (character === '{' || character === '[') json.depth += 1
      else if (character === '}' || character === ']') {
        json.depth -= 1
        if (json.depth === 0) return at + 1
      }
    }
    return -1
  }

  function push(text: string): ToolCallPiece {
    let content = ''
    const toolCalls: ToolCallDelta[] = []
    held += text
    for (;;) {
      if (state === 'text') {
        const open = held.indexOf(toolCallTags.open)
        if (open < 0) {
          const kept = heldBack(held, numCalls > 0)
          content += held.slice(0, held.length - kept)
          held = held.slice(held.length - kept)
          break
        }
        content += held.slice(0, open).trimEnd()
        held = held.slice(open + toolCallTags.open.length)
        state = 'head'
      } else if (state === 'head') {
        const head = /^\s*\{"name": ("(?:[^"\\]|\\.)*"), "arguments": /.exec(held)
        if (!head) break
        held = held.slice(head[0].length)
        toolCalls.push({ index: numCalls, id: createId(), name: JSON.parse(head[1]!), arguments: '' })
        numCalls += 1
        json = { depth: 0, inString: false, isEscaped: false }
        state = 'arguments'
      } else if (state === 'arguments') {
        const end = endOfArguments(held)
        const piece = end < 0 ? held : held.slice(0, end)
        if (piece !== '') toolCalls.push({ index: numCalls - 1, arguments: piece })
        held = end < 0 ? '' : held.slice(end)
        if (end < 0) break
        state = 'tail'
      } else {
        const close = held.indexOf('</tool_call>')
        if (close < 0) break
        held = held.slice(close + '</tool_call>'.length)
        state = 'text'
      }
    }
    return { content, toolCalls }
  }

  return {
    push,
    end() {
      // A call that was cut off in its head or tail has nothing to show.
      const content = state === 'text' ? (numCalls > 0 ? held.trimEnd() : held) : ''
      held = ''
      return { content, toolCalls: [] }
    },
    get numCalls() {
      return numCalls
    },
  }
}

/** How many characters at the end may be the white space before a tag, or the beginning of one. */
function heldBack(text: string, isAfterCall: boolean): number {
  let tag = Math.min(toolCallTags.open.length - 1, text.length)
  while (tag > 0 && !toolCallTags.open.startsWith(text.slice(text.length - tag))) tag -= 1
  const before = text.slice(0, text.length - tag)
  const isBlank = isAfterCall && before.trim() === ''
  return tag + (isBlank ? before.length : before.length - before.trimEnd().length)
}

/** As OpenAI's look. */
function newCallId(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const bytes = crypto.getRandomValues(new Uint8Array(24))
  return `call_${Array.from(bytes, (byte) => letters[byte % letters.length]).join('')}`
}
