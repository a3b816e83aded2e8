import { effect } from '@preact/signals'
import { wantedId } from './chats.ts'
import { draft } from './page.ts'
import { readStored, removeStored, writeStored } from './storage.ts'

/** One key a chat, so that tabs leave each other's drafts alone. */
const key = (id: string | undefined) => (id === undefined ? 'brasa.draft' : `brasa.draft.${id}`)

/** Keeps what is typed and not yet sent, chat by chat, so that neither an error nor a reload nor another chat loses it. */
export function rememberDrafts(): void {
  effect(() => {
    const stored = readStored(key(wantedId.value))
    draft.value = typeof stored === 'string' ? stored : ''
  })
  effect(() => {
    const text = draft.value
    const at = key(wantedId.peek())
    if (text === '') removeStored(at)
    else writeStored(at, text)
  })
}

export function forgetDraft(id: string): void {
  removeStored(key(id))
}
