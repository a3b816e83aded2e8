export { createEngine } from './api/engine.ts'
export { listCatalogue, listStoredModels, pinStoredModel, removeStoredModel } from './api/models.ts'
export type * from './api/onnx-types.ts'
export type * from './api/types.ts'
export type { DeviceCounters, DeviceInfo, MemoryInfo } from './backends/executor.ts'
export { BrasaError, type ErrorCode, type ErrorDetails, isBrasaError } from './errors.ts'
export { samplingDefaults } from './sampling/defaults.ts'
export {
  type RegisterOptions,
  type Registration,
  registerBrasa,
} from './service-worker/serve-requests.ts'
