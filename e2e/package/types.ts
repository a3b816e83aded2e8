// Compiled by a strict TypeScript that knows nothing of Brasa's own settings.
import { createEngine, type Engine, isBrasaError } from '@brasa/runtime'
import { answerRequests, type ServiceWorkerScope } from '@brasa/runtime/answer-requests'
import { createLanguageModel, type LanguageModel } from '@brasa/runtime/prompt-api'
import '@brasa/runtime/service-worker'

export async function answer(question: string): Promise<string> {
  const engine: Engine = await createEngine({ model: 'smollm2-135m-instruct' })
  try {
    const stream = await engine.chat.completions.create({
      messages: [{ role: 'user', content: question }],
      stream: true,
    })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    return text
  } catch (error) {
    return isBrasaError(error) ? error.code : 'unknown'
  } finally {
    await engine.dispose()
  }
}

export async function choose(engine: Engine): Promise<string> {
  const session: LanguageModel = await createLanguageModel(engine).create({ topK: 3 })
  return session.prompt('Yes or no?', { responseConstraint: { enum: ['yes', 'no'] } })
}

export const serve = (scope: ServiceWorkerScope): void => answerRequests(scope)
