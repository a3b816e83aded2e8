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
  /** What is typed while it is not a value the setting can have. */
  const wrong = useSignal<string | undefined>(undefined)
  const onInput = (text: string) => {
    const parsed = parseSetting(range, text)
    const cleared = key === 'seed' && text.trim() === ''
    wrong.value = parsed === undefined && !cleared ? text : undefined
    if (parsed !== undefined) settings.value = { ...settings.value, [key]: parsed }
    if (cleared) {
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
        aria-invalid={wrong.value !== undefined}
        value={wrong.value ?? value ?? ''}
        onInput={(event) => onInput(event.currentTarget.value)}
        onBlur={() => {
          wrong.value = undefined
        }}
      />
      {wrong.value !== undefined && (
        <span class="setting-wrong" role="alert">
          {`Between ${min} and ${max}${Number.isInteger(step) ? ', whole' : ''}.`}
        </span>
      )}
    </label>
  )
}
