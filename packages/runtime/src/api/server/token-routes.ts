import * as v from 'valibot'
import type { EngineClient } from '../../client/engine-client.ts'
import { tokensSchema } from '../completion-request.ts'
import { createBytesOf } from '../logprobs.ts'
import { promptText } from '../prompt-echo.ts'
import { flag, text } from '../request-entries.ts'
import { checkLoadedModel } from '../token-stream.ts'
import { parseRequest } from '../validation.ts'

const model = v.optional(text("the loaded model's id, or left out"))

export const tokenizeRequestSchema = v.strictObject({ model, prompt: text(), return_token_strs: flag })
export const detokenizeRequestSchema = v.strictObject({ model, tokens: tokensSchema })

/** `/tokenize` and `/detokenize`, as vLLM has them. */
export function createTokenRoutes(client: EngineClient) {
  const bytesOf = createBytesOf(client)
  return {
    async tokenize(body: unknown) {
      const { model, prompt, return_token_strs = false } = parseRequest(tokenizeRequestSchema, body)
      checkLoadedModel(client, model)
      const tokens = Array.from(await client.tokenize(prompt))
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
