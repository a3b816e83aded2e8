import { signal } from '@preact/signals'
import { readStored, writeStored } from '../state/storage.ts'
import { en, type Words } from './en.ts'

/**
 * A language is a file with the sections of en.ts and a line here. English is part of the page; another one is fetched when
 * it is chosen, so that nobody waits for words in a language that is not theirs.
 */
export type Language = 'en' | 'es'

export const languageNames: Readonly<Record<Language, string>> = { en: 'English', es: 'Español' }

const dictionaries: Readonly<Record<Language, () => Promise<Words>>> = {
  en: async () => en,
  es: async () => (await import('./es.ts')).es,
}

const storageKey = 'brasa.language'
const patienceMs = 2000

export const language = signal<Language>('en')
/** To be read where something is drawn: `words.value.app.chat`. */
export const words = signal<Words>(en)

/** Without the new words the page stays in the language it is in. */
export async function speak(next: Language): Promise<void> {
  const found = await dictionaries[next]()
  words.value = found
  language.value = next
  document.documentElement.lang = next
}

/** What the person chose; else the first of the browser's languages that the page has. */
export async function rememberLanguage(): Promise<void> {
  const stored = readStored(storageKey)
  const wished = [stored, ...navigator.languages.map((tag) => tag.split('-', 1)[0])]
  const known = wished.find(
    (tag): tag is Language => typeof tag === 'string' && Object.hasOwn(dictionaries, tag),
  )
  if (known === undefined || known === language.value) return
  const speaking = speak(known).catch(() => undefined)
  // A network that neither brings the words nor fails keeps nobody from the page: they come when they come.
  await Promise.race([speaking, new Promise((resolve) => setTimeout(resolve, patienceMs))])
}

export async function chooseLanguage(next: Language): Promise<void> {
  writeStored(storageKey, next)
  await speak(next)
}
