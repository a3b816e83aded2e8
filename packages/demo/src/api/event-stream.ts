/** One server-sent event. */
export interface ServerEvent {
  /** Empty where the server gave none. */
  readonly name: string
  readonly data: string
}

/** Takes the text of a stream in pieces of any size and gives the events that are complete. */
export function createEventReader(): { read(piece: string): readonly ServerEvent[] } {
  let rest = ''
  let name = ''
  let data: string[] = []
  return {
    read(piece) {
      const events: ServerEvent[] = []
      rest += piece
      // A carriage return at the end may be half of a line's end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) events.push({ name, data: data.join('\n') })
          name = ''
          data = []
          continue
        }
        const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
        if (field === 'data') data.push(value)
        else if (field === 'event') name = value
      }
      return events
    },
  }
}

interface Chunk {
  readonly type?: string
  readonly delta?: unknown
  readonly choices?: readonly {
    readonly text?: string
    readonly delta?: {
      readonly content?: string | null
      readonly tool_calls?: readonly {
        readonly function?: { readonly name?: string; readonly arguments?: string }
      }[]
    }
  }[]
}

/** What an event adds to the answer's text: of chats, of completions and of responses. A tool's call is text too. */
export function textOf({ data }: ServerEvent): string {
  let chunk: Chunk
  try {
    chunk = JSON.parse(data) as Chunk
  } catch {
    return ''
  }
  if (chunk?.type === 'response.output_text.delta') return typeof chunk.delta === 'string' ? chunk.delta : ''
  const choice = chunk?.choices?.[0]
  const calls = choice?.delta?.tool_calls ?? []
  const called = calls.map(({ function: call }) => `${call?.name ?? ''}${call?.arguments ?? ''}`).join('')
  return `${choice?.text ?? choice?.delta?.content ?? ''}${called}`
}
