/** What a person calls the backends. */
export const backendNames = {
  webgpu: 'WebGPU',
  ort: 'ONNX Runtime',
  reference: 'Plain TypeScript, slow',
} as const
