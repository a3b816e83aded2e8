/** What a person calls the backends. */
export const backendNames = { webgpu: 'WebGPU', reference: 'Plain TypeScript, slow' } as const
