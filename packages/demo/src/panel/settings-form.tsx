import { useSignal } from '@preact/signals'
import {
  defaultSettings,
  parseSetting,
  type SettingRange,
  settingRanges,
  settings,
} from '../state/settings.ts'
import { words } from '../words/words.ts'

/** System prompt and sampling; every change counts from the next answer on and is remembered. */
export function SettingsForm() {
  const { settings: said } = words.value
  const { systemPrompt, temperature } = settings.value
  const changed = settingRanges.some(({ key }) => settings.value[key] !== defaultSettings[key])
  return (
    <section aria-label={said.settings}>
      <h3>{said.settings}</h3>
      <div class="settings">
        <label class="setting-tall">
          <span>{said.systemPrompt}</span>
          <textarea
            class="field"
            rows={3}
            placeholder={said.modelsOwn}
            value={systemPrompt}
            onInput={(event) => {
              settings.value = { ...settings.value, systemPrompt: event.currentTarget.value }
            }}
          />
        </label>
        {settingRanges.map((range) => (
          <SettingField key={range.key} range={range} idle={temperature === 0 && range.needsChance} />
        ))}
        {temperature === 0 && <p class="soft">{said.atZero}</p>}
        {changed && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              settings.value = { ...defaultSettings, systemPrompt }
            }}
          >
            {said.defaults}
          </button>
        )}
      </div>
    </section>
  )
}

function SettingField({ range, idle }: { readonly range: SettingRange; readonly idle: boolean }) {
  const { settings: said } = words.value
  const { key, min, max, step } = range
  const { label, hint } = said[key]
  const value = settings.value[key]
  /** The letters as typed, until the field is left: "1.0" on the way to "1.05" must not turn into "1". */
  const typed = useSignal<string | undefined>(undefined)
  const mayBeEmpty = key === 'seed'
  const isWrong =
    typed.value !== undefined &&
    parseSetting(range, typed.value) === undefined &&
    !(mayBeEmpty && typed.value.trim() === '')
  const onInput = (text: string) => {
    typed.value = text
    const parsed = parseSetting(range, text)
    if (parsed !== undefined) settings.value = { ...settings.value, [key]: parsed }
    else if (mayBeEmpty && text.trim() === '') {
      const { seed: _, ...rest } = settings.value
      settings.value = rest
    }
  }
  return (
    <label class="setting" title={hint}>
      <span>{label}</span>
      <input
        class="field figures"
        type="number"
        inputMode={Number.isInteger(step) ? 'numeric' : 'decimal'}
        min={min}
        max={max}
        step={step}
        disabled={idle}
        placeholder={key === 'seed' ? said.drawn : undefined}
        aria-invalid={isWrong}
        value={typed.value ?? value ?? ''}
        onInput={(event) => onInput(event.currentTarget.value)}
        onBlur={() => {
          typed.value = undefined
        }}
      />
      {isWrong && (
        <span class="setting-wrong" role="alert">
          {said.between(min, max, Number.isInteger(step))}
        </span>
      )}
    </label>
  )
}
