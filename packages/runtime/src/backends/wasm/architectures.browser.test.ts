import { describeArchitectures } from '../../models/architecture-cases.ts'
import { createWasmExecutor } from './executor.ts'

describeArchitectures(
  'wasm in floats',
  (spec, weights, options) => createWasmExecutor(spec, weights, { ...options, precision: 'f32' }),
  1e-2,
)

describeArchitectures('wasm by default', createWasmExecutor, 2e-2)
