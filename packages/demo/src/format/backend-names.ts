/** What a person calls the backends. */
export const backendNames = {
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
  ort: 'ONNX Runtime',
  reference: 'Plain TypeScript, slow',
} as const
