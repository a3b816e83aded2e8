// The default model as tests in a browser read it, from where `npm run fetch` puts it.

import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { Weights } from '../backends/weights.ts'
import { readGguf } from '../formats/gguf.ts'
import { describeModel } from '../models/architectures.ts'
import { createHeapMeter } from '../storage/heap-meter.ts'
import type { Manifest } from '../storage/manifest.ts'
import { storedFiles } from '../storage/stored-file.ts'
import { modelWeights } from './model-weights.ts'

const folder = '/models/smollm2-135m-instruct/'

export async function openServedModel(): Promise<{ spec: TransformerSpec; weights: Weights }> {
  const response = await fetch(`${folder}manifest.json`)
  if (!response.ok) throw new Error('Run `npm run fetch` first: the model is not in public/models.')
  const manifest: Manifest = await response.json()
  const load = async (file: number, shard: number) => {
    const { path } = manifest.files[file]!.shards[shard]!
    return new Uint8Array(await (await fetch(folder + path)).arrayBuffer())
  }
  const files = storedFiles(manifest, load, createHeapMeter())
  const header = await readGguf(files[0]!)
  const weights = modelWeights(header, files)
  return { spec: await describeModel(header, (name) => weights.read(name)), weights }
}
