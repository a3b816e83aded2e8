import '../theme/tokens.css'
import '../theme/base.css'
import '../controls/controls.css'
import * as brasa from '@brasa/runtime'
import { render } from 'preact'
import { holdShell } from '../offline/hold-shell.ts'
import { rememberTheme } from '../theme/theme.ts'
import { rememberLanguage } from '../words/words.ts'
import { BenchPage } from './bench-page.tsx'

// For consoles and scripts: `await brasa.createEngine({ model: '…' })`.
Object.assign(globalThis, { brasa })
holdShell()
rememberTheme()
await rememberLanguage()
render(<BenchPage />, document.querySelector('#app')!)
