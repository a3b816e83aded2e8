import type { GenerationParameters } from '@brasa/runtime'
import { effect, signal } from '@preact/signals'
import { readStored, writeStored } from './storage.ts'

export interface Settings {
  /** Empty leaves the model's own. */
  readonly systemPrompt: string
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly minP: number
  readonly repetitionPenalty: number
  readonly maxTokens: number
  /** Undefined draws another one for each answer. */
  readonly seed?: number
}

/**
 * What makes a model of a hundred million parameters pleasant: its authors' temperature and top p (the SmolLM2 model
 * card), and a light penalty against the loops that such models fall into.
 */
export const defaultSettings: Settings = {
  systemPrompt: '',
  temperature: 0.2,
  topP: 0.9,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1.05,
  maxTokens: 512,
}

export type NumericSetting = Exclude<keyof Settings, 'systemPrompt'>

export interface SettingRange {
  readonly key: NumericSetting
  readonly min: number
  readonly max: number
  readonly step: number
  /** At temperature 0 the likeliest token is taken, so that this one has nothing to choose from. */
  readonly needsChance: boolean
}

export const settingRanges: readonly SettingRange[] = [
  {
    key: 'temperature',
    min: 0,
    max: 2,
    step: 0.1,
    needsChance: false,
  },
  {
    key: 'topP',
    min: 0.05,
    max: 1,
    step: 0.05,
    needsChance: true,
  },
  {
    key: 'topK',
    min: 0,
    max: 1000,
    step: 1,
    needsChance: true,
  },
  {
    key: 'minP',
    min: 0,
    max: 1,
    step: 0.01,
    needsChance: true,
  },
  {
    key: 'repetitionPenalty',
    min: 1,
    max: 2,
    step: 0.05,
    needsChance: true,
  },
  {
    key: 'maxTokens',
    min: 1,
    max: 32_768,
    step: 1,
    needsChance: false,
  },
  {
    key: 'seed',
    min: 0,
    max: 4_294_967_295,
    step: 1,
    needsChance: true,
  },
]

/** The number in `text` if the setting may have it; undefined if not. */
export function parseSetting(range: SettingRange, text: string): number | undefined {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || value < range.min || value > range.max) return undefined
  return Number.isInteger(range.step) && !Number.isInteger(value) ? undefined : value
}

/** Stored settings of any age or making: what is not understood falls back to the default. */
export function reviveSettings(stored: unknown): Settings {
  if (typeof stored !== 'object' || stored === null) return defaultSettings
  const found = stored as Record<string, unknown>
  const numbers = settingRanges.flatMap((range) => {
    const value = parseSetting(range, String(found[range.key] ?? ''))
    return value === undefined ? [] : [[range.key, value] as const]
  })
  const systemPrompt = typeof found.systemPrompt === 'string' ? found.systemPrompt : ''
  return { ...defaultSettings, ...Object.fromEntries(numbers), systemPrompt }
}

/** As the request has them. Temperature 0 is plain greedy decoding: nothing else bends the choice. */
export function generationParameters(settings: Settings): GenerationParameters {
  const { temperature, maxTokens } = settings
  if (temperature === 0) return { temperature, max_tokens: maxTokens }
  return {
    temperature,
    max_tokens: maxTokens,
    top_p: settings.topP,
    top_k: settings.topK,
    min_p: settings.minP,
    repetition_penalty: settings.repetitionPenalty,
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
  }
}

const storageKey = 'brasa.settings'

export const settings = signal<Settings>(defaultSettings)

/** Takes the stored settings and stores every change from now on. */
export function rememberSettings(): void {
  settings.value = reviveSettings(readStored(storageKey))
  effect(() => {
    writeStored(storageKey, settings.value)
  })
}
