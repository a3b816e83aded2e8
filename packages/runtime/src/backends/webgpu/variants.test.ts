import { describeExecutor } from '../conformance.ts'
import { decodeVariants } from './decode-variant.ts'
import { createWebGpuExecutor } from './executor.ts'

/** Every structure of a decode step, forced, on what the backend's default must do: conformance.test.ts is base's. */
for (const variant of decodeVariants) {
  if (variant === 'base') continue
  const make: typeof createWebGpuExecutor = (spec, weights, options) =>
    createWebGpuExecutor(spec, weights, { ...options, variant })
  describeExecutor(`webgpu, ${variant}`, make, { tolerance: 1e-3 })
}
