// What an app does with the package: the same for every bundler.
import { createEngine } from '@brasa/runtime'
import { brasa } from '@brasa/runtime/ai-sdk'
import { createLanguageModel } from '@brasa/runtime/prompt-api'

const question = 'What is the capital of France?'
const engine = await createEngine({ model: 'smollm2-135m-instruct', backend: 'wasm' })
const answer = await engine.chat.completions.create({
  messages: [{ role: 'user', content: question }],
  max_tokens: 12,
  temperature: 0,
})

// XGrammar, in a worker of the worker.
const session = await createLanguageModel(engine).create({ temperature: 0 })
const choice = await session.prompt('Is Paris in France?', { responseConstraint: { enum: ['yes', 'no'] } })

// The addresses of engine.fetch.
const { content } = await brasa(engine)(engine.model.id).doGenerate({
  prompt: [{ role: 'user', content: [{ type: 'text', text: question }] }],
  maxOutputTokens: 12,
  temperature: 0,
})
const [part] = content
const text = part?.type === 'text' ? part.text : undefined
document.body.textContent = [answer.choices[0]?.message.content, choice, text].join('|')
