import { createOpenAICompatible, type OpenAICompatibleProvider } from '@ai-sdk/openai-compatible'

/**
 * The engine as a provider of the AI SDK: `generateText({ model: brasa(engine)(engine.model.id), … })`. Needs
 * `@ai-sdk/openai-compatible`, which apps install beside `ai`.
 */
export const brasa = (engine: {
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
}): OpenAICompatibleProvider =>
  createOpenAICompatible({
    name: 'brasa',
    // Of no place: `fetch` takes the path and asks the engine.
    baseURL: 'http://brasa.invalid/v1',
    fetch: (input: RequestInfo | URL, init?: RequestInit) => engine.fetch(input, init),
    includeUsage: true,
    supportsStructuredOutputs: true,
  })
