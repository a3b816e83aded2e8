// Compiled by a strict TypeScript that knows nothing of Brasa's own settings.
import { createEngine, type Engine, isBrasaError } from '@brasa/runtime'

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
