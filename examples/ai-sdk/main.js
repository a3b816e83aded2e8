// @ts-check
import { createEngine } from '@brasa/runtime'
import { brasa } from '@brasa/runtime/ai-sdk'
import { streamText } from 'ai'
import { answering } from '../answering.js'

const engine = await createEngine({ model: 'smollm2-135m-instruct' })
const provider = brasa(engine)

answering(async (prompt, show) => {
  const { textStream } = streamText({
    model: provider(engine.model.id),
    prompt,
    temperature: 0,
    maxOutputTokens: 60,
  })
  let text = ''
  for await (const piece of textStream) {
    text += piece
    show(text)
  }
})
