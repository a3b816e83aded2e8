import * as v from 'valibot'
import type { EngineClient } from '../../client/engine-client.ts'
import type { TokenizeRequest } from '../../protocol.ts'
import { chatRequestSchema, checkEndsWithAnswer, toolsOf } from '../chat-request.ts'
import { tokensSchema } from '../completion-request.ts'
import { createBytesOf } from '../logprobs.ts'
import { conversationOf } from '../messages.ts'
import { promptText } from '../prompt-echo.ts'
import { flag, text } from '../request-entries.ts'
import { checkLoadedModel } from '../token-stream.ts'
import { invalidRequest, parseRequest } from '../validation.ts'

const model = v.optional(text("the loaded model's id, or left out"))

const tokenizeEntries = { model, add_special_tokens: flag, return_token_strs: flag }
const { messages, tools, add_generation_prompt, continue_final_message } = chatRequestSchema.entries
const tokenizeTextSchema = v.strictObject({ prompt: text(), ...tokenizeEntries })
const tokenizeChatSchema = v.strictObject({
  ...{ messages, tools, add_generation_prompt, continue_final_message },
  ...tokenizeEntries,
})
/** With the entries of both, as other requests' schemas have theirs. */
export const tokenizeRequestSchema = Object.assign(v.union([tokenizeTextSchema, tokenizeChatSchema]), {
  entries: { ...tokenizeTextSchema.entries, ...tokenizeChatSchema.entries },
})
export const detokenizeRequestSchema = v.strictObject({ model, tokens: tokensSchema })

/** `/tokenize` and `/detokenize`, as vLLM has them. */
export function createTokenRoutes(client: EngineClient) {
  const bytesOf = createBytesOf(client)
  return {
    async tokenize(body: unknown) {
      const { model, return_token_strs = false, request } = parseTokenizeRequest(body)
      checkLoadedModel(client, model)
      const tokens = Array.from(await client.tokenize(request))
      const bytes = return_token_strs ? await bytesOf(tokens) : undefined
      return {
        count: tokens.length,
        max_model_len: client.loaded.model.contextLength,
        tokens,
        token_strs: bytes ? tokens.map((token) => new TextDecoder().decode(bytes(token))) : null,
      }
    },
    async detokenize(body: unknown) {
      const { model, tokens } = parseRequest(detokenizeRequestSchema, body)
      checkLoadedModel(client, model)
      return { prompt: await promptText(tokens, bytesOf) }
    },
  }
}

/** @throws BrasaError `invalid_request` */
function parseTokenizeRequest(body: unknown) {
  const isChat = typeof body === 'object' && body !== null && 'messages' in body
  const parsed = isChat ? parseRequest(tokenizeChatSchema, body) : parseRequest(tokenizeTextSchema, body)
  const { model, return_token_strs, add_special_tokens: addsBos } = parsed
  const request = 'messages' in parsed ? conversationRequest(parsed) : { input: { prompt: parsed.prompt } }
  return { model, return_token_strs, request: { ...request, ...(addsBos !== undefined && { addsBos }) } }
}

function conversationRequest({
  messages,
  tools,
  continue_final_message: continuesAssistant = false,
  add_generation_prompt: addsGenerationPrompt = !continuesAssistant,
}: v.InferOutput<typeof tokenizeChatSchema>): TokenizeRequest {
  if (continuesAssistant) checkEndsWithAnswer(messages)
  if (continuesAssistant && addsGenerationPrompt) {
    throw invalidRequest(
      '"continue_final_message" and "add_generation_prompt" exclude one another. Give one.',
      'add_generation_prompt',
    )
  }
  const offered = toolsOf(tools, undefined)?.tools
  return {
    input: {
      messages: conversationOf(messages),
      ...(offered && { tools: offered }),
      ...(continuesAssistant && { continuesAssistant }),
    },
    // What is gone on with stands behind it.
    addsGenerationPrompt: continuesAssistant || addsGenerationPrompt,
  }
}
