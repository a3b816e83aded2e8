// @ts-check
import { createEngine } from '@brasa/runtime'
import { answering } from '../answering.js'

const engine = await createEngine({ model: 'smollm2-135m-instruct' })

const schema = {
  type: 'object',
  properties: {
    person: { type: 'string', maxLength: 40 },
    day: { enum: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] },
    guests: { type: 'integer', minimum: 1, maximum: 20 },
  },
  required: ['person', 'day', 'guests'],
  additionalProperties: false,
}

answering(async (text, show) => {
  const { choices } = await engine.chat.completions.create({
    messages: [{ role: 'user', content: `Extract who, on which day, and how many guests.\n\n${text}` }],
    response_format: { type: 'json_schema', json_schema: { name: 'booking', schema, strict: true } },
    temperature: 0,
  })
  show(JSON.stringify(JSON.parse(choices[0]?.message.content ?? 'null'), undefined, 2))
})
