import { describeArchitectures } from '../../models/architecture-cases.ts'
import { createOrtExecutor } from './executor.ts'

describeArchitectures('ort', createOrtExecutor, 1e-2)
