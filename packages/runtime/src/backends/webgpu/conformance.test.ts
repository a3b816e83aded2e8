import { describeExecutor } from '../conformance.ts'
import { createWebGpuExecutor } from './executor.ts'

describeExecutor('webgpu', createWebGpuExecutor, { tolerance: 1e-3 })
