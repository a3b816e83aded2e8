import { loadModel } from '../state/model.ts'
import './file-button.css'

interface FileButtonProps {
  readonly kind: 'button' | 'quiet'
  readonly word: string
  readonly onChosen?: () => void
}

/** Asks for a .gguf file, or the parts of one, and loads it. */
export function FileButton({ kind, word, onChosen }: FileButtonProps) {
  return (
    <label class={`${kind} file-button`}>
      {word}
      <input
        class="visually-hidden"
        type="file"
        accept=".gguf"
        multiple
        onChange={(event) => {
          const files = inOrder([...(event.currentTarget.files ?? [])])
          // The same file may be chosen again.
          event.currentTarget.value = ''
          if (files.length === 0) return
          onChosen?.()
          void loadModel(files.length === 1 ? files[0]! : files)
        }}
      />
    </label>
  )
}

/** The parts of a split file, as gguf-split numbers them. */
export function inOrder(files: readonly File[]): readonly File[] {
  return [...files].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}
