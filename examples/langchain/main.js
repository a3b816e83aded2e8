// @ts-check
import { createEngine } from '@brasa/runtime'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { ChatOpenAI } from '@langchain/openai'
import { answering } from '../answering.js'

const engine = await createEngine({ model: 'smollm2-135m-instruct' })
const model = new ChatOpenAI({
  model: engine.model.id,
  temperature: 0,
  maxTokens: 60,
  apiKey: 'none',
  configuration: {
    baseURL: 'https://brasa.invalid/v1', // any host: no request leaves the page
    fetch: engine.fetch,
    dangerouslyAllowBrowser: true, // there is no key to lose
  },
})
const chain = ChatPromptTemplate.fromMessages([
  ['system', 'You answer in one sentence.'],
  ['user', 'What are {subject} for?'],
])
  .pipe(model)
  .pipe(new StringOutputParser())

answering(async (subject, show) => {
  let text = ''
  for await (const piece of await chain.stream({ subject })) {
    text += piece
    show(text)
  }
})
