import { expose } from 'comlink'
import { inspectModel } from './engine/inspect.ts'
import { loadEngine } from './engine/load.ts'
import { createOnnxService } from './engine/onnx-service.ts'
import { createEngineService } from './engine/service.ts'
import { installErrorTransfer } from './error-transfer.ts'

installErrorTransfer()
expose({
  ...createEngineService(loadEngine),
  inspect: inspectModel,
  // ONNX Runtime is fetched with the first model for it.
  ...createOnnxService(async (bytes, provider) => {
    const { loadOnnxModel } = await import('./backends/ort/onnx-session.ts')
    return loadOnnxModel(bytes, provider)
  }),
})
