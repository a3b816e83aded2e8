import { useSignal } from '@preact/signals'

/** Copies a text and says so in its own word. */
export function CopyButton({ text, label }: { readonly text: () => string; readonly label: string }) {
  const said = useSignal('Copy')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text())
      said.value = 'Copied'
    } catch {
      said.value = 'Not allowed'
    }
    setTimeout(() => {
      said.value = 'Copy'
    }, 1500)
  }
  return (
    <button type="button" class="word" aria-label={`${said.value} ${label}`} onClick={copy}>
      {said.value}
    </button>
  )
}
