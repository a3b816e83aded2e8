import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web/wasm'
import { BrasaError, isBrasaError } from '../../errors.ts'
import type { Feeds, Tensor, Tensors, TensorType, ValueInfo } from '../../onnx-protocol.ts'
import { createMutex } from '../../storage/mutex.ts'
import type { LoadOnnxModel, OnnxModel } from '../onnx-model.ts'
import { loadOrt, type Ort } from './load-ort.ts'
import { loadOrtWebGpu } from './load-ort-webgpu.ts'
import { loadError, runError } from './onnx-errors.ts'
import { checkFeeds, typeOf } from './onnx-feeds.ts'

/** One for the worker: ONNX Runtime's wasm heap is one, and its runs do not overlap. */
const oneAtATime = createMutex()

/** Loads any ONNX model, for the CPU or for the GPU. */
export const loadOnnxModel: LoadOnnxModel = async ({ name, model, externalData }, provider) => {
  const ort = provider === 'wasm' ? await loadOrt() : await loadOrtWebGpu()
  const session = await oneAtATime(() =>
    ort.InferenceSession.create(model, {
      executionProviders: [provider],
      externalData: [...externalData],
      // The message comes back in the error; the console is the page's.
      logSeverityLevel: 4,
    }),
  ).catch((error: unknown) => {
    throw loadError(name, error)
  })
  const deviceLost = provider === 'webgpu' ? lossOf(ort, name) : new Promise<never>(() => {})
  const inputs = session.inputMetadata.map((value) => valueInfo(value, name))
  const outputs = session.outputMetadata.map((value) => valueInfo(value, name))
  let released = false

  const onnx: OnnxModel = {
    inputs,
    outputs,
    check: (feeds) => checkFeeds(feeds, inputs),
    run: (feeds) =>
      oneAtATime(async () => {
        if (released) throw releasedError(name)
        checkFeeds(feeds, inputs)
        let results: InferenceSession.ReturnType
        try {
          // A run on a device that is lost may never end.
          results = await Promise.race([session.run(ortFeeds(ort, feeds, inputs)), deviceLost])
        } catch (error) {
          throw isBrasaError(error) ? error : runError(name, error)
        }
        return tensorsOf(results)
      }),
    release: () =>
      oneAtATime(async () => {
        if (released) return
        released = true
        await session.release()
      }),
  }
  return onnx
}

function valueInfo(value: InferenceSession.ValueMetadata, model: string): ValueInfo {
  if (!value.isTensor) {
    throw new BrasaError('unsupported_tensor_type', {
      message: `"${value.name}" of ${model} is a sequence or a map, and only tensors can cross to the page. Export the model without it (for classifiers of scikit-learn: zipmap=False).`,
      details: { name: value.name },
    })
  }
  // A dimension without a number or a name comes as an empty string, or as -1 in 32 bits without a sign.
  const dims = value.shape.map((dim) => (dim === '' || dim === 0xffffffff ? null : dim))
  return { name: value.name, type: value.type as TensorType, dims }
}

function ortFeeds(ort: Ort, feeds: Feeds, inputs: readonly ValueInfo[]): Record<string, OrtTensor> {
  const entries = inputs
    .filter(({ name }) => Object.hasOwn(feeds, name))
    .map(({ name, type }) => {
      const { data, dims } = feeds[name]!
      // Checked above: the data is what the type wants.
      return [name, new ort.Tensor(type as 'float32', data as Float32Array, dims)] as const
    })
  return Object.fromEntries(entries)
}

function tensorsOf(results: InferenceSession.ReturnType): Tensors {
  return Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]): [string, Tensor] => [
      name,
      { type: type as TensorType, dims: [...dims], data: ownBytes(data as Tensor['data']) },
    ]),
  )
}

/** Float16 results are a Float16Array where the browser has one: their bits are the same everywhere. */
function ownBytes(data: Tensor['data']): Tensor['data'] {
  if (!ArrayBuffer.isView(data) || typeOf(data) !== undefined) return data
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView
  return new Uint16Array(buffer as ArrayBuffer, byteOffset, byteLength / 2)
}

/** Rejects when the GPU device that ONNX Runtime computes on is lost. It finds no other one: its worker has to end. */
function lossOf(ort: Ort, name: string): Promise<never> {
  const lost = (async (): Promise<never> => {
    const device = (await ort.env.webgpu.device) as GPUDevice
    const { reason, message } = await device.lost
    throw new BrasaError('device_lost', {
      message: `The GPU was lost while it held ${name}. Run it again: a new worker loads it from this device’s storage.`,
      details: { reason, message },
    })
  })()
  // It may come between two runs.
  lost.catch(() => {})
  return lost
}

function releasedError(name: string): BrasaError {
  return new BrasaError('disposed', {
    message: `The session of ${name} was released. Create a new one with engine.sessions.create.`,
  })
}
