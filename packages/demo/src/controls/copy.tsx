import { useSignal } from '@preact/signals'
import { words } from '../words/words.ts'

type Said = 'copy' | 'copied' | 'notAllowed'

/** Copies a text and says so in its own word. `label` tells what, for those who hear it. */
export function CopyButton({ text, label }: { readonly text: () => string; readonly label: string }) {
  const said = useSignal<Said>('copy')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text())
      said.value = 'copied'
    } catch {
      said.value = 'notAllowed'
    }
    setTimeout(() => {
      said.value = 'copy'
    }, 1500)
  }
  const word = words.value.controls[said.value]
  return (
    <button type="button" class="word" aria-label={`${word} ${label}`} onClick={copy}>
      {word}
    </button>
  )
}
