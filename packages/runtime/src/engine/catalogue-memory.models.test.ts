import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { backendMemory } from './backends.ts'
import { planMemory, totalBytes } from './memory-plan.ts'
import { openModelInPlace } from './model-in-place.ts'

interface Entry {
  readonly id: string
  readonly format?: string
  readonly memory?: { readonly bytes: number; readonly contextLength: number }
}

const catalogue = JSON.parse(
  readFileSync(new URL('../../../../public/models/models.json', import.meta.url), 'utf8'),
) as { readonly models: readonly Entry[] }
const chatModels = catalogue.models.filter(({ format }) => format !== 'onnx')

/** The page says before anything is fetched whether a model fits, by a figure that the catalogue carries. */
test.each(chatModels)('$id takes the memory that the catalogue says', async ({ id, memory }) => {
  const { header, spec } = await openModelInPlace(id)
  const plan = planMemory(spec, header.tensors, await backendMemory('wasm'), {
    contextLength: memory?.contextLength ?? 2048,
  })
  expect(memory?.bytes, `${id} takes ${totalBytes(plan.memory)}`).toBe(totalBytes(plan.memory))
})
