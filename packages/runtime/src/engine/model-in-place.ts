// The catalogue's models as tests in Node read them, from where `npm run fetch` puts them.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type ModelFolder, openModelFolder } from './model-folder.ts'

export function openModelInPlace(id: string): Promise<ModelFolder> {
  const folder = new URL(`../../../../public/models/${id}/`, import.meta.url)
  if (!existsSync(folder))
    throw new Error(`Run \`npm run fetch -- ${id}\` first: it is not in public/models.`)
  return openModelFolder(async (name) => new Uint8Array(await readFile(new URL(name, folder))))
}
