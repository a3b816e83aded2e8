import { expect, test } from 'vitest'
import { openServedModel } from '../../engine/served-model.ts'
import { planeBytes } from './device-planes.ts'
import { partsOf, planWeights } from './weight-plan.ts'

test.each(['smollm2-135m-instruct', 'qwen2.5-coder-0.5b-instruct', 'gemma-3-270m'])(
  'a decode step of %s reads what the file holds',
  async (name) => {
    const { spec, weights } = await openServedModel(name)
    const plan = planWeights(spec, weights.tensors, 'file')
    // Of an embedding that is not the head's too, a step reads one row.
    const { matrices } = partsOf({ ...plan, embedding: plan.head })
    const read = [...matrices].map(({ layout, numRows, numColumns, parts }) => {
      const { quants, scales } = planeBytes(layout, numRows, numColumns)
      const inFile = parts.reduce(
        (sum, { tensor, count }) => sum + (tensor.byteLength * count) / tensor.shape[0]!,
        0,
      )
      return { device: quants + scales, inFile }
    })
    const total = (of: 'device' | 'inFile') => read.reduce((sum, each) => sum + each[of], 0)
    expect(total('device') / total('inFile')).toBeLessThan(1.05)
  },
)
