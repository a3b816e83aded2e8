import './theme/tokens.css'
import './theme/base.css'
import './controls/controls.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { listenForKeys } from './keys/keys.tsx'
import { rememberCurrent } from './state/chats.ts'
import { rememberDrafts } from './state/drafts.ts'
import { keepChats } from './state/keeping.ts'
import { openPage } from './state/model.ts'
import { rememberSettings } from './state/settings.ts'
import { rememberLanguage } from './words/words.ts'

await rememberLanguage()
rememberSettings()
rememberCurrent()
rememberDrafts()
void keepChats()
listenForKeys()
render(<App />, document.querySelector('#app')!)
void openPage()
