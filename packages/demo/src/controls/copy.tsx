import { useSignal } from '@preact/signals'
import { words } from '../words/words.ts'
import { Icon } from './icon.tsx'

type Said = 'copy' | 'copied' | 'notAllowed'

interface CopyProps {
  readonly text: () => string
  /** What is copied, for those who hear it. */
  readonly label: string
  /** Among other icons: a tick says that it is done. */
  readonly isIcon?: boolean
}

const icons = { copy: 'copy', copied: 'check', notAllowed: 'close' } as const

/** Copies a text and says so in its own word. */
export function CopyButton({ text, label, isIcon = false }: CopyProps) {
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
    <button
      type="button"
      class={isIcon ? 'icon-button icon-small' : 'word'}
      aria-label={`${word} ${label}`}
      title={isIcon ? word : undefined}
      onClick={copy}
    >
      {isIcon ? <Icon name={icons[said.value]} /> : word}
    </button>
  )
}
