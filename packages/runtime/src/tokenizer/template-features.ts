import { isBrasaError } from '../errors.ts'
import type { GgufValue } from '../formats/gguf.ts'
import { createChatTemplate, type TemplateMessage, type TemplateOptions } from './chat-template.ts'

/** What a model's chat format has a place for. */
export interface ChatTemplateFeatures {
  /** A system prompt reaches the model. */
  readonly system: boolean
  /** Tools that a request offers reach the model. */
  readonly tools: boolean
  /** Answers may begin with a thought, which is told apart from them. */
  readonly thinking: boolean
}

const marker = 'brasa-marker'
const question: TemplateMessage = { role: 'user', content: 'Hello' }
const tool = {
  type: 'function',
  function: { name: marker, description: 'A tool.', parameters: { type: 'object', properties: {} } },
}

/**
 * Tries the file's chat template, or the one that stands in for it, with a system prompt and with a tool, and looks whether they
 * come out. Needs the metadata alone.
 * @throws BrasaError `malformed_model` where there is no vocabulary
 */
export function chatTemplateFeatures(metadata: ReadonlyMap<string, GgufValue>): ChatTemplateFeatures {
  const template = createChatTemplate(metadata)
  const shows = (messages: readonly TemplateMessage[], options: Partial<TemplateOptions> = {}) => {
    try {
      return template.render(messages, { addGenerationPrompt: true, ...options }).includes(marker)
    } catch (error) {
      if (isBrasaError(error) && error.code === 'template_failed') return false
      throw error
    }
  }
  return {
    system: shows([{ role: 'system', content: marker }, question]),
    tools: shows([question], { tools: [tool] }),
    thinking: template.thinks,
  }
}
