import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { openOnnxModel } from '../onnx/onnx-tab.tsx'
import { loadModel } from '../state/model.ts'
import { sheet, showView, view } from '../state/page.ts'
import { words } from '../words/words.ts'
import { inOrder } from './file-button.tsx'

/** A .gguf file dropped anywhere is loaded for the chat, an .onnx file opened beside it; other files are left alone. */
export function DropTarget() {
  const over = useSignal(false)
  const wrong = useSignal<string | undefined>(undefined)
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        over.value = true
      },
      { signal },
    )
    addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) over.value = false
      },
      { signal },
    )
    addEventListener(
      'drop',
      (event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        over.value = false
        const files = inOrder([...event.dataTransfer!.files])
        if (files.some(({ name }) => name.toLowerCase().endsWith('.onnx'))) {
          wrong.value = undefined
          sheet.value = undefined
          void openOnnxModel(files.length === 1 ? files[0]! : files)
          return
        }
        const models = files.filter(({ name }) => name.toLowerCase().endsWith('.gguf'))
        if (models.length === 0) {
          const { wrongFile, thisFile } = words.value.models
          wrong.value = wrongFile(files[0]?.name ?? thisFile)
          return
        }
        wrong.value = undefined
        sheet.value = undefined
        // The page of models shows how a load goes as well.
        if (view.value !== 'models') showView('chat')
        void loadModel(models.length === 1 ? models[0]! : models)
      },
      { signal },
    )
    return () => controller.abort()
  }, [over, wrong])
  return (
    <>
      {over.value && <div class="drop">{words.value.models.dropHere}</div>}
      {wrong.value !== undefined && (
        <div class="notice toast" role="alert">
          <p>{wrong.value}</p>
          <button type="button" class="quiet" onClick={() => (wrong.value = undefined)}>
            {words.value.models.close}
          </button>
        </div>
      )}
    </>
  )
}
