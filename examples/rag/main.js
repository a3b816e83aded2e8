// @ts-check
import { createEngine } from '@brasa/runtime'
import { answering } from '../answering.js'

const engine = await createEngine({ model: 'smollm2-135m-instruct' })
const question = /** @type {HTMLTextAreaElement} */ (document.querySelector('#question'))

/** Embeddings have length one: the product says how near they are. */
const nearness = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)

answering(async (text, show) => {
  const passages = text
    .split(/\n\s*\n/)
    .map((passage) => passage.trim())
    .filter((passage) => passage !== '')
  const { data } = await engine.embeddings.create({
    model: 'all-minilm-l6-v2',
    input: [question.value, ...passages],
    truncate: true,
  })
  const [asked, ...embedded] = data.map(({ embedding }) => embedding)
  if (asked === undefined) return
  const nearest = passages
    .map((passage, i) => ({ passage, score: nearness(asked, embedded[i] ?? asked) }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 1)
  const found = nearest.map(({ passage, score }) => `[${score.toFixed(2)}] ${passage}`).join('\n')
  show(found)
  const context = nearest.map(({ passage }) => passage).join('\n')
  const stream = await engine.chat.completions.create({
    messages: [
      { role: 'system', content: 'Answer in one sentence, from the text alone.' },
      { role: 'user', content: `${context}\n\n${question.value}` },
    ],
    temperature: 0,
    max_tokens: 60,
    stream: true,
  })
  let answer = ''
  for await (const chunk of stream) {
    answer += chunk.choices[0]?.delta.content ?? ''
    show(`${found}\n\n${answer}`)
  }
})
