import { BrasaError, type ValueInfo } from '@brasa/runtime'
import { words } from '../words/words.ts'

/** A size that the model leaves to whoever runs it. */
export interface FreeDimension {
  /** The dimension's name, the same wherever the model uses it; of one without a name, where it is: "input[0]". */
  readonly key: string
  readonly initial: number
}

/** What the inputs leave open, each once: 1 where it is a batch, else a few. */
export function freeDimensions(inputs: readonly ValueInfo[]): readonly FreeDimension[] {
  const found = new Map<string, number>()
  for (const { name, dims } of inputs) {
    for (const [axis, dim] of dims.entries()) {
      if (typeof dim === 'number') continue
      const key = keyOf(name, dim, axis)
      if (!found.has(key)) found.set(key, axis === 0 || /batch/i.test(key) ? 1 : 8)
    }
  }
  return [...found].map(([key, initial]) => ({ key, initial }))
}

/** @throws BrasaError `invalid_request` if a size is missing or no whole number */
export function resolveDims(
  { name, dims }: ValueInfo,
  sizes: Readonly<Record<string, string>>,
): readonly number[] {
  return dims.map((dim, axis) => {
    if (typeof dim === 'number') return dim
    const key = keyOf(name, dim, axis)
    const text = sizes[key]?.trim() ?? ''
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw new BrasaError('invalid_request', {
      message: words.value.onnxPage.noSize(key, text),
      details: { dimension: key },
    })
  })
}

/** "[batch, 3, ?]"; a tensor of no dimensions is a "scalar". */
export function formatShape(dims: ValueInfo['dims']): string {
  return dims.length === 0 ? 'scalar' : `[${dims.map((dim) => dim ?? '?').join(', ')}]`
}

function keyOf(input: string, dim: string | null, axis: number): string {
  return dim === null || dim === '' ? `${input}[${axis}]` : dim
}
