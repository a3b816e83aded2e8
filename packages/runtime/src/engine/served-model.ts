// The catalogue's models as tests in a browser read them, from where `npm run fetch` puts them.

import { type ModelFolder, openModelFolder } from './model-folder.ts'

export function openServedModel(id = 'smollm2-135m-instruct'): Promise<ModelFolder> {
  return openModelFolder(async (name) => {
    const response = await fetch(`/models/${id}/${name}`)
    if (!response.ok) throw new Error(`Run \`npm run fetch -- ${id}\` first: it is not in public/models.`)
    return new Uint8Array(await response.arrayBuffer())
  })
}
