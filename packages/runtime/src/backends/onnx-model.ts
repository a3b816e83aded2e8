import type { Feeds, OnnxProvider, Tensors, ValueInfo } from '../onnx-protocol.ts'

/** The bytes of an ONNX model. */
export interface OnnxModelBytes {
  /** For messages. */
  readonly name: string
  readonly model: Uint8Array<ArrayBuffer>
  /** Tensors that are kept beside the model, by the path that it names. */
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array<ArrayBuffer> }[]
}

/** A model that can be run, whatever runs it. */
export interface OnnxModel {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** @throws BrasaError `invalid_request` if the feeds are not what the model takes */
  check(feeds: Feeds): void
  /** One run after another. @throws BrasaError `invalid_request`, `out_of_memory`, `device_lost`, `internal` */
  run(feeds: Feeds): Promise<Tensors>
  release(): Promise<void>
}

/** @throws BrasaError `not_an_onnx`, `unsupported_operator`, `malformed_model`, `out_of_memory`, `webgpu_unavailable` */
export type LoadOnnxModel = (bytes: OnnxModelBytes, provider: OnnxProvider) => Promise<OnnxModel>
