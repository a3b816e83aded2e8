import { describeArchitectures } from '../../models/architecture-cases.ts'
import { createWebGpuExecutor } from './executor.ts'

describeArchitectures('webgpu', createWebGpuExecutor, 1e-2)
