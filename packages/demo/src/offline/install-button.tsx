import { Icon } from '../controls/icon.tsx'
import { words } from '../words/words.ts'
import { canInstall, install } from './install.ts'

/** Where the browser offers it, and only there. */
export function InstallButton() {
  if (!canInstall()) return null
  return (
    <button type="button" class="word" title={words.value.offline.installTitle} onClick={install}>
      <Icon name="fetch" />
      {words.value.offline.install}
    </button>
  )
}
