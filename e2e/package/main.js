// What an app does with the package: the same for every bundler.
import { createEngine } from '@brasa/runtime'

const engine = await createEngine({ model: 'smollm2-135m-instruct', backend: 'wasm' })
const answer = await engine.chat.completions.create({
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
  max_tokens: 12,
  temperature: 0,
})
document.body.textContent = answer.choices[0]?.message.content ?? null
