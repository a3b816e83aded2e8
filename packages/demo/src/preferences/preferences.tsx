import { Segments } from '../controls/segments.tsx'
import { chooseTheme, theme, themes } from '../theme/theme.ts'
import { chooseLanguage, type Language, language, languageNames, words } from '../words/words.ts'
import './preferences.css'

/** How the page looks and which language it speaks; kept on this device. */
export function Preferences() {
  const { preferences } = words.value
  return (
    <div class="preferences">
      <div class="labelled">
        <span>{preferences.theme}</span>
        <Segments
          label={preferences.theme}
          options={themes.map((id) => ({ id, word: preferences[id] }))}
          chosen={theme.value}
          onChoose={chooseTheme}
        />
      </div>
      <label class="labelled">
        <span>{preferences.language}</span>
        <select
          class="field"
          value={language.value}
          onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}
        >
          {Object.entries(languageNames).map(([tag, name]) => (
            <option key={tag} value={tag} lang={tag}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <p class="small soft">{preferences.keptHere}</p>
    </div>
  )
}
