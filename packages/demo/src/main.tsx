import './theme/tokens.css'
import './theme/base.css'
import './controls/controls.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { listenForKeys } from './keys/listen.ts'
import { watchConnection } from './offline/connection.ts'
import { watchInstallOffer } from './offline/install.ts'
import { isolateAtStart, isolateWhenPossible } from './offline/isolation.ts'
import { registerWorker } from './offline/registration.ts'
import { serveApi } from './offline/serve-api.ts'
import { rememberAnswerOptions } from './state/answer-options.ts'
import { rememberCurrent, startAsAsked } from './state/chats.ts'
import { forgetStrayDrafts, rememberDrafts } from './state/drafts.ts'
import { keepChats } from './state/keeping.ts'
import { openPage } from './state/model.ts'
import { rememberSettings } from './state/settings.ts'
import { rememberTheme } from './theme/theme.ts'
import { rememberLanguage } from './words/words.ts'

watchInstallOffer()
await isolateAtStart()
rememberTheme()
await rememberLanguage()
rememberSettings()
rememberAnswerOptions()
rememberCurrent()
startAsAsked()
rememberDrafts()
void keepChats().then(forgetStrayDrafts)
listenForKeys()
render(<App />, document.querySelector('#app')!)
void openPage()
watchConnection()
serveApi()
void registerWorker()
void isolateWhenPossible()
