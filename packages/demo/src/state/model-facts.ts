import type { ModelInspection } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { readStored, writeStored } from './storage.ts'

/** What a model's header told, kept so that its line on the page needs no reading. */
export interface ModelFacts {
  readonly name: string
  readonly architecture: string
  readonly parameters: number
  readonly quantisation: string
  readonly contextLength: number
  readonly sizeBytes: number
  readonly licence?: string
  readonly memory: readonly BackendNeed[]
}

export interface BackendNeed {
  readonly backend: 'webgpu' | 'wasm' | 'ort'
  readonly totalBytes: number
  /** Tokens that this is for. */
  readonly contextLength: number
  /** Why it cannot run there. */
  readonly problem?: string
}

const storageKey = 'brasa.facts'
/** Memory is estimated as this browser would take it; another one finds out anew. */
const browser = navigator.userAgent

export const facts = signal<Readonly<Record<string, ModelFacts>>>(reviveFacts(readStored(storageKey)))

export function rememberFacts(inspection: ModelInspection): void {
  const { id, name, architecture, parameters, quantisation, contextLength, sizeBytes, licence, memory } =
    inspection
  const needs = (['webgpu', 'wasm', 'ort'] as const).map((backend) => {
    const { totalBytes, contextLength, problem } = memory[backend]
    return { backend, totalBytes, contextLength, ...(problem === undefined ? {} : { problem }) }
  })
  const own = { name, architecture, parameters, quantisation, contextLength, sizeBytes, memory: needs }
  facts.value = { ...facts.value, [id]: { ...own, ...(licence === undefined ? {} : { licence }) } }
  writeStored(storageKey, { browser, facts: facts.value })
}

export function forgetFacts(id: string): void {
  const { [id]: _, ...others } = facts.value
  facts.value = others
  writeStored(storageKey, { browser, facts: others })
}

function reviveFacts(stored: unknown): Readonly<Record<string, ModelFacts>> {
  const { browser: of, facts: kept } = (stored ?? {}) as { browser?: unknown; facts?: unknown }
  if (of !== browser || typeof kept !== 'object' || kept === null) return {}
  const isWhole = (value: Partial<ModelFacts>) =>
    typeof value?.name === 'string' &&
    Array.isArray(value.memory) &&
    value.memory.every((need) => typeof need?.contextLength === 'number')
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => isWhole(value)))
}
