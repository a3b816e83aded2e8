// @ts-check
import { createEngine } from '@brasa/runtime'
import { answering } from '../answering.js'

const engine = await createEngine({ model: 'smollm2-135m-instruct' })

answering(async (question, show) => {
  const stream = await engine.chat.completions.create({
    messages: [{ role: 'user', content: question }],
    temperature: 0,
    stream: true,
  })
  let text = ''
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    show(text)
  }
})
