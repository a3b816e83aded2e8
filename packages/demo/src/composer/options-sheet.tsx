import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { SheetDialog } from '../controls/sheet.tsx'
import { words } from '../words/words.ts'

type Form = typeof import('./options-form.tsx')['OptionsForm']

const loaded = signal<Form | undefined>(undefined)
const hasFailed = signal(false)

async function loadForm(): Promise<void> {
  try {
    loaded.value ??= (await import('./options-form.tsx')).OptionsForm
  } catch {
    hasFailed.value = true
  }
}

/** How answers are given. Its code comes when it is first opened. */
export function OptionsSheet() {
  useEffect(() => void loadForm(), [])
  const { options: said } = words.value
  const Form = loaded.value
  return (
    <SheetDialog title={said.title} place="middle">
      {Form !== undefined && <Form />}
      {Form === undefined && hasFailed.value && (
        <div class="notice">
          <p role="alert">{said.notFetched}</p>
          <button type="button" class="quiet" onClick={() => location.reload()}>
            {said.reload}
          </button>
        </div>
      )}
    </SheetDialog>
  )
}
