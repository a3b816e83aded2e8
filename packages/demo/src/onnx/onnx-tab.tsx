import type { OnnxReference } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { showView } from '../state/page.ts'

type Page = typeof import('./onnx-page.tsx')['OnnxPage']

const loaded = signal<Page | undefined>(undefined)
const hasFailed = signal(false)

/** The ONNX page, whose code comes with the first visit. */
export function OnnxTab() {
  useEffect(() => void loadPage(), [])
  const Page = loaded.value
  if (Page !== undefined) return <Page />
  return (
    <div class="tab-wait">
      {hasFailed.value ? (
        <>
          <p role="alert">This part of the page could not be fetched. Check the connection.</p>
          {/* A browser remembers that a module failed: only a fresh page asks again. */}
          <button type="button" class="button" onClick={() => location.reload()}>
            Reload
          </button>
        </>
      ) : (
        <p class="soft">Opening…</p>
      )}
    </div>
  )
}

/** Goes to the ONNX page with a model. */
export async function openOnnxModel(wanted: OnnxReference): Promise<void> {
  showView('onnx')
  if (!(await loadPage())) return
  const { openModel } = await import('./run-state.ts')
  await openModel(wanted)
}

async function loadPage(): Promise<boolean> {
  try {
    loaded.value ??= (await import('./onnx-page.tsx')).OnnxPage
    return true
  } catch {
    hasFailed.value = true
    return false
  }
}
