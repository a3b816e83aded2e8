import '../theme/tokens.css'
import '../theme/base.css'
import '../controls/controls.css'
import * as brasa from '@brasa/runtime'
import { render } from 'preact'
import { listenForKeys } from '../keys/listen.ts'
import { watchConnection } from '../offline/connection.ts'
import { isolateAtStart } from '../offline/isolation.ts'
import { watchWorker } from '../offline/registration.ts'
import { rememberCurrent } from '../state/chats.ts'
import { keepChats } from '../state/keeping.ts'
import { view } from '../state/page.ts'
import { rememberTheme } from '../theme/theme.ts'
import { rememberLanguage } from '../words/words.ts'
import { BenchPage } from './bench-page.tsx'
import { chooseModel } from './bench-state.ts'

// For consoles and scripts: `await brasa.createEngine({ model: '…' })`.
Object.assign(globalThis, { brasa })
view.value = 'benchmark'
await isolateAtStart()
rememberTheme()
await rememberLanguage()
rememberCurrent()
void keepChats()
listenForKeys()
render(<BenchPage />, document.querySelector('#app')!)
void chooseModel()
watchConnection()
void watchWorker()
