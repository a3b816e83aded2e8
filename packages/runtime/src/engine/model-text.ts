import type { GgufHeader } from '../formats/gguf.ts'
import { createToolCallParser } from '../grammar/tool-calls.ts'
import type { ConstraintVocabulary } from '../grammar/vocabulary.ts'
import type { GenerateRequest } from '../protocol.ts'
import { createChatTemplate } from '../tokenizer/chat-template.ts'
import { conversationPrompt } from '../tokenizer/conversation-prompt.ts'
import { createTokenizer } from '../tokenizer/tokenizer.ts'
import { thoughtTags } from '../tokenizer/vocabulary.ts'
import type { LoadedModel } from './model.ts'
import { createThoughtSplitter, noThoughts } from './thoughts.ts'

/**
 * The text on both sides of a model, from its metadata.
 * @throws BrasaError `unsupported_tokenizer`, `malformed_model`
 */
export function createModelText({
  metadata,
}: GgufHeader): Pick<LoadedModel, 'encodePrompt' | 'answerText' | 'constrain' | 'tokenize' | 'tokenBytes'> {
  const tokenizer = createTokenizer(metadata)
  const template = createChatTemplate(metadata)
  const tokenize = (text: string, addsBos?: boolean) =>
    tokenizer.encode(text, { specialTokens: 'parse', ...(addsBos !== undefined && { addBos: addsBos }) })
  /** Some templates begin the answer with a thought. */
  const opensThought = (prompt: Uint32Array) =>
    tokenizer.decode(prompt.subarray(-16)).trimEnd().endsWith(thoughtTags.open)
  const isRaw = (input: GenerateRequest['input']) => 'prompt' in input
  /** Goes on from text, so that a leading space is meant. */
  const continuesText = (input: GenerateRequest['input']) =>
    'prompt' in input || input.continuesAssistant === true
  const callsTools = (input: GenerateRequest['input']) =>
    'messages' in input && (input.tools ?? []).length > 0
  let vocabulary: ConstraintVocabulary | undefined
  return {
    tokenize: (text) => tokenize(text),
    tokenBytes: tokenizer.tokenBytes,
    async encodePrompt(input, { addsGenerationPrompt, addsBos } = {}) {
      if ('prompt' in input) return tokenize(input.prompt, addsBos)
      const options = { ...input, addsGenerationPrompt }
      return tokenize(conversationPrompt(template, input.messages, options), addsBos)
    },
    answerText: (input, prompt) => ({
      eosTokenIds: tokenizer.eosTokenIds,
      tokenText: (token) => new TextDecoder().decode(tokenizer.tokenBytes(token)),
      createDecoder: () => tokenizer.streamDecoder({ continues: continuesText(input) }),
      createThoughtSplitter: () =>
        isRaw(input) || !template.thinks ? noThoughts : createThoughtSplitter(opensThought(prompt)),
      ...(callsTools(input) && { createToolCallParser }),
    }),
    async constrain(format, answered) {
      const [{ createConstraint }, { constraintVocabulary }] = await Promise.all([
        import('../grammar/constraint.ts'),
        import('../grammar/vocabulary.ts'),
      ])
      vocabulary ??= constraintVocabulary(tokenizer)
      return createConstraint(format, vocabulary, answered)
    },
  }
}
