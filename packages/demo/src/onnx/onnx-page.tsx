import { useEffect } from 'preact/hooks'
import { sheet } from '../state/page.ts'
import { words } from '../words/words.ts'
import { ModelView } from './model-view.tsx'
import { stopRun } from './run-state.ts'
import { SearchView } from './search-view.tsx'
import './onnx.css'

/** Models that are not for chat: a search by meaning, and any ONNX file. */
export function OnnxPage() {
  useEffect(() => {
    const onKeyDown = ({ key, defaultPrevented }: KeyboardEvent) => {
      // An open dialog has its own Esc.
      if (key === 'Escape' && !defaultPrevented && sheet.value === undefined) stopRun()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
  return (
    <div class="page onnx">
      <div class="page-column">
        <header class="page-head">
          <h1>{words.value.app.onnx}</h1>
          <p>{words.value.onnxPage.lead}</p>
        </header>
        <div class="halves">
          <SearchView />
          <ModelView />
        </div>
      </div>
    </div>
  )
}
