import { signal } from '@preact/signals'
import { readStored, writeStored } from './storage.ts'

/** How fast a model answered here, by its id and its backend: the last real answer counts. */
export type Measured = Readonly<Record<string, Readonly<Record<string, Speed>>>>

export interface Speed {
  readonly tokensPerSecond: number
  /** ms since the epoch. */
  readonly at: number
}

const storageKey = 'brasa.measured'
/** A handful of words says little about speed. */
const leastTokens = 4

export const measured = signal<Measured>(reviveMeasured(readStored(storageKey)))

export function rememberSpeed(
  modelId: string,
  backend: string,
  answer: { readonly tokens: number; readonly tokensPerSecond: number },
  now: number,
): void {
  if (answer.tokens < leastTokens || !(answer.tokensPerSecond > 0)) return
  const speed = { tokensPerSecond: answer.tokensPerSecond, at: now }
  measured.value = { ...measured.value, [modelId]: { ...measured.value[modelId], [backend]: speed } }
  writeStored(storageKey, measured.value)
}

/** The fastest backend's figure for a model. */
export function bestSpeed(modelId: string): (Speed & { readonly backend: string }) | undefined {
  const speeds = Object.entries(measured.value[modelId] ?? {}).map(([backend, speed]) => ({
    backend,
    ...speed,
  }))
  return speeds.sort((a, b) => b.tokensPerSecond - a.tokensPerSecond)[0]
}

/** Stored figures of any age or making. */
export function reviveMeasured(stored: unknown): Measured {
  const revived: Record<string, Record<string, Speed>> = {}
  for (const [model, speeds] of entriesOf(stored)) {
    for (const [backend, speed] of entriesOf(speeds)) {
      const { tokensPerSecond, at } = (speed ?? {}) as Partial<Speed>
      if (typeof tokensPerSecond !== 'number' || !(tokensPerSecond > 0) || typeof at !== 'number') continue
      revived[model] = { ...revived[model], [backend]: { tokensPerSecond, at } }
    }
  }
  return revived
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}
