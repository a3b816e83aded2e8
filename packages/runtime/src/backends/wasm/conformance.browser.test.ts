import { describeExecutor } from '../conformance.ts'
import { createWasmExecutor } from './executor.ts'

describeExecutor(
  'wasm in floats',
  (spec, weights, options) => createWasmExecutor(spec, weights, { ...options, precision: 'f32' }),
  { tolerance: 1e-3 },
)
