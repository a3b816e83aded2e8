// A shard folder as tests read it, without a store.

import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { Weights } from '../backends/weights.ts'
import { type GgufHeader, readGguf } from '../formats/gguf.ts'
import { describeModel } from '../models/architectures.ts'
import { createHeapMeter } from '../storage/heap-meter.ts'
import type { Manifest } from '../storage/manifest.ts'
import { storedFiles } from '../storage/stored-file.ts'
import { modelWeights } from './model-weights.ts'

export interface ModelFolder {
  readonly header: GgufHeader
  readonly spec: TransformerSpec
  readonly weights: Weights
}

/** @param readFile of the folder, all of it */
export async function openModelFolder(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<ModelFolder> {
  const manifest: Manifest = JSON.parse(new TextDecoder().decode(await readFile('manifest.json')))
  const load = (file: number, shard: number) => readFile(manifest.files[file]!.shards[shard]!.path!)
  const files = storedFiles(manifest, load, createHeapMeter())
  const header = await readGguf(files[0]!)
  const weights = modelWeights(header, files)
  return { header, spec: await describeModel(header, (name) => weights.read(name)), weights }
}
