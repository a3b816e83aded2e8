import { describeExecutor } from '../conformance.ts'
import { createOrtExecutor } from './executor.ts'

describeExecutor('ort', createOrtExecutor, { tolerance: 1e-3 })
