import type { BackendChoice } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { readStored, writeStored } from './storage.ts'

/** What a person may choose: the reference is for tests. */
export const backendChoices = [
  { choice: 'auto', label: 'Automatic' },
  { choice: 'webgpu', label: 'WebGPU' },
  { choice: 'wasm', label: 'CPU (WebAssembly)' },
  { choice: 'ort', label: 'CPU (ONNX Runtime)' },
] as const satisfies readonly { choice: BackendChoice; label: string }[]

export type OfferedBackend = (typeof backendChoices)[number]['choice']

const storageKey = 'brasa.backend'

/** A stored choice of any age or making. */
export function reviveBackend(stored: unknown): OfferedBackend {
  return backendChoices.find(({ choice }) => choice === stored)?.choice ?? 'auto'
}

/** Where models run from the next load on. */
export const backend = signal<OfferedBackend>(reviveBackend(readStored(storageKey)))

export function rememberBackend(choice: OfferedBackend): void {
  backend.value = choice
  writeStored(storageKey, choice)
}
