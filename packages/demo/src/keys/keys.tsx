import { words } from '../words/words.ts'
import { shortcuts } from './shortcuts.ts'
import './keys.css'

/** The list that `?` shows. */
export function Keys() {
  const { names, meanings } = words.value.keys
  const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)
  const special: Readonly<Record<string, string>> = {
    ...names,
    mod: isMac ? '⌘' : names.Ctrl,
    ...(isMac && { Alt: '⌥' }),
  }
  return (
    <dl class="keys">
      {shortcuts.map(({ keys, does }) => (
        <div key={does}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{special[key] ?? key}</kbd>
            ))}
          </dt>
          <dd>{meanings[does]}</dd>
        </div>
      ))}
    </dl>
  )
}
