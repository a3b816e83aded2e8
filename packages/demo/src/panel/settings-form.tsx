import { useSignal } from '@preact/signals'
import {
  defaultSettings,
  parseSetting,
  type SettingRange,
  settingRanges,
  settings,
} from '../state/settings.ts'

/** System prompt and sampling; every change counts from the next answer on and is remembered. */
export function SettingsForm() {
  const { systemPrompt, temperature } = settings.value
  const changed = settingRanges.some(({ key }) => settings.value[key] !== defaultSettings[key])
  return (
    <section aria-label="Settings">
      <h3>Settings</h3>
      <div class="settings">
        <label class="setting-tall">
          <span>System prompt</span>
          <textarea
            class="field"
            rows={3}
            placeholder="The model's own"
            value={systemPrompt}
            onInput={(event) => {
              settings.value = { ...settings.value, systemPrompt: event.currentTarget.value }
            }}
          />
        </label>
        {settingRanges.map((range) => (
          <SettingField key={range.key} range={range} idle={temperature === 0 && range.needsChance} />
        ))}
        {temperature === 0 && (
          <p class="soft">
            At temperature 0 the likeliest token is always taken; the other choices have no say.
          </p>
        )}
        {changed && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              settings.value = { ...defaultSettings, systemPrompt }
            }}
          >
            Back to defaults
          </button>
        )}
      </div>
    </section>
  )
}

function SettingField({ range, idle }: { readonly range: SettingRange; readonly idle: boolean }) {
  const { key, label, hint, min, max, step } = range
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
        placeholder={key === 'seed' ? 'drawn' : undefined}
        aria-invalid={isWrong}
        value={typed.value ?? value ?? ''}
        onInput={(event) => onInput(event.currentTarget.value)}
        onBlur={() => {
          typed.value = undefined
        }}
      />
      {isWrong && (
        <span class="setting-wrong" role="alert">
          {`Between ${min} and ${max}${Number.isInteger(step) ? ', whole' : ''}.`}
        </span>
      )}
    </label>
  )
}
