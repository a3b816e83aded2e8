import { effect } from '@preact/signals'
import { chats, wantedId } from './chats.ts'
import { keeping } from './keeping.ts'
import { draft } from './page.ts'
import { readStored, removeStored, storedKeys, writeStored } from './storage.ts'

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

/** Drafts of chats that are gone. Not at once: a chat that was deleted by mistake comes back with its draft. */
export function forgetStrayDrafts(): void {
  if (keeping.value !== 'kept') return
  const kept = new Set(chats.value.map(({ id }) => key(id)))
  for (const stored of storedKeys(key(''))) {
    if (!kept.has(stored)) removeStored(stored)
  }
}
