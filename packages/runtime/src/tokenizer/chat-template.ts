import type { GgufValue } from '../formats/gguf.ts'
import { defaultTemplate } from './default-template.ts'
import { templateProgram } from './template-program.ts'
import { readVocabulary, thoughtTags, tokenizerMetadata } from './vocabulary.ts'

/** What templates read of a message: https://huggingface.co/docs/transformers/chat_templating */
export interface TemplateMessage {
  readonly role: string
  readonly content: string
  /** The thought before this answer, for templates that put it back. */
  readonly reasoning_content?: string
  readonly tool_calls?: readonly TemplateValue[]
  readonly tool_call_id?: string
  /** Of the tool that a message of role `tool` comes from. */
  readonly name?: string
}

/** JSON, as tools and their calls are. */
export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | readonly TemplateValue[]
  | { readonly [key: string]: TemplateValue }

export interface TemplateOptions {
  readonly addGenerationPrompt: boolean
  /** OpenAI's: `{ type: 'function', function: { name, description, parameters } }`. */
  readonly tools?: readonly TemplateValue[]
}

export interface ChatTemplate {
  /**
   * The conversation as the model was trained to read it; with `addGenerationPrompt`, up to where the assistant's answer
   * begins. Encode it with special tokens parsed and without adding BOS twice (`encode` sees to that). Special tokens that
   * a message spells out are parsed with the template's own, as everywhere in the field: what a stranger wrote can end its
   * turn, so treat roles as advice to the model and not as a permission.
   *
   * Can take long: see `templateProgram`.
   * @throws BrasaError `template_failed`
   */
  render(messages: readonly TemplateMessage[], options: TemplateOptions): string
  /** Whether answers may hold a thought between `thoughtTags`: by the template, without one by the vocabulary. */
  readonly thinks: boolean
  /** Whether it tells the model of tools and has it call them as `toolCallTags` of grammar/tool-calls.ts do. */
  readonly callsTools: boolean
}

/** The chat template of a GGUF file (`tokenizer.chat_template`), else the one its vocabulary suggests: see `defaultTemplate`. */
export function createChatTemplate(metadata: ReadonlyMap<string, GgufValue>): ChatTemplate {
  const given = tokenizerMetadata(metadata)
  const { tokens, tokenId } = readVocabulary(given)
  const own = metadata.get('tokenizer.chat_template')
  const hasOwn = typeof own === 'string' && own.trim() !== ''
  const source = hasOwn ? own : defaultTemplate(tokens)
  const program = templateProgram(source)
  const nameOf = (key: string) => {
    const id = tokenId(key)
    return id === undefined ? '' : tokens[id]
  }
  const specialTokens = {
    bos_token: nameOf('bos_token_id'),
    eos_token: nameOf('eos_token_id'),
    unk_token: nameOf('unknown_token_id'),
    pad_token: nameOf('padding_token_id'),
  }
  const tags = Object.values(thoughtTags)

  return {
    thinks: hasOwn ? tags.some((tag) => source.includes(tag)) : tags.every((tag) => tokens.includes(tag)),
    callsTools:
      /\btools\b/.test(source) &&
      source.includes('<tool_call>') &&
      /"name": ?/.test(source.replaceAll('\\"', '"')),
    render(messages, { addGenerationPrompt, tools }) {
      const variables = {
        ...specialTokens,
        messages: messages.map(messageVariables),
        add_generation_prompt: addGenerationPrompt,
        documents: null,
      }
      // Most templates take null for no tools, as transformers has it; some, as llama.cpp has it, a name that is not there.
      if (tools === undefined && asksForDefinedTools.test(source)) {
        try {
          return program({ ...variables, tools: null })
        } catch {
          return program(variables)
        }
      }
      return program({ ...variables, tools: tools ?? null })
    },
  }
}

const asksForDefinedTools = /\btools is defined\b/

/** Of a message what it has: templates ask whether a name is there. */
function messageVariables(message: TemplateMessage) {
  const { role, content, reasoning_content, tool_calls, tool_call_id, name } = message
  // Some templates know the thought by another name.
  const thoughts = { reasoning_content, thinking: reasoning_content }
  const given = Object.entries({ ...thoughts, tool_calls, tool_call_id, name })
  return { role, content, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) }
}
