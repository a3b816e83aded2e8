import '../theme/tokens.css'
import '../theme/base.css'
import '../controls/controls.css'
import * as brasa from '@brasa/runtime'
import { render } from 'preact'
import { holdShell } from '../offline/hold-shell.ts'
import { BenchPage } from './bench-page.tsx'

// For consoles and scripts: `await brasa.createEngine({ model: '…' })`.
Object.assign(globalThis, { brasa })
holdShell()
render(<BenchPage />, document.querySelector('#app')!)
