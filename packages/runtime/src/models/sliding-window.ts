import { BrasaError } from '../errors.ts'
import type { ModelFile } from './model-file.ts'

/**
 * The window of layers that have one, in tokens. None where it is as long as the model's context: such a layer sees all.
 * @throws BrasaError `malformed_model`
 */
export function slidingWindow({ metadata }: ModelFile, fallback = 0): number | undefined {
  const key = 'attention.sliding_window'
  // Phi-4 writes 0 for none.
  if (metadata.number(key, () => fallback) === 0) return undefined
  const size = metadata.count(key, () => fallback)
  return size < metadata.count('context_length') ? size : undefined
}

/**
 * Which layers attend locally, within the window, in a model where the others attend to everything: all but every
 * `period`-th, unless the file has another period or lists the layers.
 * @throws BrasaError `malformed_model`
 */
export function localLayers(file: ModelFile, period: number): (layer: number) => boolean {
  const pattern = file.option('attention.sliding_window_pattern') ?? period
  if (typeof pattern === 'number' && Number.isInteger(pattern) && pattern >= 0) {
    return (layer) => pattern === 0 || layer % pattern < pattern - 1
  }
  const numBlocks = file.metadata.count('block_count')
  if (Array.isArray(pattern) && pattern.length === numBlocks && pattern.every(isBoolean)) {
    return (layer) => pattern[layer]!
  }
  throw new BrasaError('malformed_model', {
    message: `attention.sliding_window_pattern is neither a period nor a list of ${numBlocks} layers. Download or convert the file again.`,
    details: { key: 'attention.sliding_window_pattern', numBlocks },
  })
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
