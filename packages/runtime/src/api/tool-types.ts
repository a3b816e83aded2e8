/** A function that the model may call, as OpenAI's chat completions have it. */
export interface ToolDefinition {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description?: string
    /** JSON schema of the arguments, an object; left out, there are none. */
    readonly parameters?: Readonly<Record<string, unknown>>
    /** Arguments keep to the schema whatever it says. */
    readonly strict?: boolean
  }
}

/** A call that the model makes. A type and no interface, so that templates may read it as JSON. */
export type ToolCall = {
  readonly id: string
  readonly type: 'function'
  readonly function: {
    readonly name: string
    /** JSON text. */
    readonly arguments: string
  }
}

/** A piece of a call: `id` and `name` come with its first, `arguments` as text that grows. */
export interface ToolCallDelta {
  /** Among the calls of one answer. */
  readonly index: number
  readonly id?: string
  readonly name?: string
  readonly arguments?: string
}
