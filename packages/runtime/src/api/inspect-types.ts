import type { MemoryInfo } from '../backends/executor.ts'
import type { ChatTemplateFeatures } from '../tokenizer/template-features.ts'

export interface InspectOptions {
  /** Tokens that the memory is estimated for; by default what a load without `contextLength` would take, backend by backend. */
  readonly contextLength?: number
  readonly linears?: 'f32' | 'int8'
  readonly signal?: AbortSignal
}

/** What a model's header and its catalogue entry tell, before any of its weights is fetched. */
export interface ModelInspection {
  /** What `createEngine` takes as `model` to open it again. */
  readonly id: string
  /** For people. */
  readonly name: string
  readonly architecture: string
  /** Weights in all. */
  readonly parameters: number
  /** As the file names its mix of encodings, such as "Q4_K_M". */
  readonly quantisation: string
  /** Tokens the model was trained for, at most. */
  readonly contextLength: number
  readonly licence?: string
  /** Where terms stand that a person must accept before the model is fetched. */
  readonly terms?: string
  /** What its chat format has a place for. */
  readonly template: ChatTemplateFeatures
  readonly sizeBytes: number
  /** Of these, what this browser's storage has already. */
  readonly storedBytes: number
  /** What a load would take from the network. */
  readonly fetchBytes: number
  readonly memory: {
    readonly webgpu: MemoryEstimate
    readonly wasm: MemoryEstimate
    readonly ort: MemoryEstimate
  }
}

/** What an engine would hold once a conversation fills its context. */
export interface MemoryEstimate extends MemoryInfo {
  readonly totalBytes: number
  /** Tokens that the estimate is for. */
  readonly contextLength: number
  /** Why the model cannot be loaded there, in a sentence; left out where nothing speaks against it. */
  readonly problem?: string
}
