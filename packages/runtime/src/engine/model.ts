import type { DeviceCounters, Executor } from '../backends/executor.ts'
import type {
  EngineWarning,
  GenerateRequest,
  LoadProgress,
  LoadRequest,
  ModelInfo,
  StructuredFormat,
  TokenizeRequest,
} from '../protocol.ts'
import type { AnswerText, Constraint } from './generate.ts'

/** A model that is ready to answer: an executor, and the text on both sides of it. */
export interface LoadedModel {
  readonly info: ModelInfo
  readonly executor: Executor
  /** Steps in flight while it answers. */
  readonly lookahead: number
  /** The tokens of a prompt, rendered by the model's own template where it is a chat. */
  encodePrompt(
    input: GenerateRequest['input'],
    options?: Pick<TokenizeRequest, 'addsGenerationPrompt' | 'addsBos'>,
  ): Promise<Uint32Array>
  /** How the answer to a prompt, and to its tokens, becomes text. */
  answerText(input: GenerateRequest['input'], prompt: Uint32Array): AnswerText
  /**
   * Holds an answer, of which there are `answered` tokens, to a format. Left out where none is supported.
   * @throws BrasaError `invalid_request` within 2 s for what cannot be kept to
   */
  constrain?(format: StructuredFormat, answered: readonly number[]): Promise<Constraint>
  /** Tokens of a raw text, special tokens parsed. */
  tokenize(text: string): Uint32Array
  /** @throws BrasaError `invalid_request` if there is no such token */
  tokenBytes(token: number): Uint8Array
  counters(): DeviceCounters
}

export interface LoadEvents {
  readonly signal: AbortSignal
  readonly onProgress: (progress: LoadProgress) => void
  readonly onWarning: (warning: EngineWarning) => void
}

export type LoadModel = (request: LoadRequest, events: LoadEvents) => Promise<LoadedModel>
