import { expose } from 'comlink'
import { loadEngine } from './engine/load.ts'
import { createEngineService } from './engine/service.ts'
import { installErrorTransfer } from './error-transfer.ts'
import type { OnnxService } from './onnx-protocol.ts'
import type { InspectRequest } from './protocol.ts'

let starting: Promise<OnnxService> | undefined

/** What serves ONNX models is fetched with the first call for it, and ONNX Runtime with the first model. */
function onnx(): Promise<OnnxService> {
  starting ??= import('./engine/onnx-service.ts').then(({ createOnnxService }) =>
    createOnnxService(async (bytes, provider) => {
      const { loadOnnxModel } = await import('./backends/ort/onnx-session.ts')
      return loadOnnxModel(bytes, provider)
    }),
  )
  return starting
}

installErrorTransfer()
expose({
  ...createEngineService(loadEngine),
  inspect: async (request: InspectRequest) => (await import('./engine/inspect.ts')).inspectModel(request),
  openSession: async (...call: Parameters<OnnxService['openSession']>) => (await onnx()).openSession(...call),
  runSession: async (...call: Parameters<OnnxService['runSession']>) => (await onnx()).runSession(...call),
  releaseSession: async (...call: Parameters<OnnxService['releaseSession']>) =>
    (await onnx()).releaseSession(...call),
  embed: async (...call: Parameters<OnnxService['embed']>) => (await onnx()).embed(...call),
  classify: async (...call: Parameters<OnnxService['classify']>) => (await onnx()).classify(...call),
  abortCall: async (...call: Parameters<OnnxService['abortCall']>) => (await onnx()).abortCall(...call),
})
