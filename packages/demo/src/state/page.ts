import { signal } from '@preact/signals'
import { readStored, writeStored } from './storage.ts'

/** The one thing that lies over the page, if any. `chats` and `panel` do so only where the screen is narrow. */
export type Sheet = 'chats' | 'panel' | 'models' | 'keys' | 'preferences' | 'options'

export const sheet = signal<Sheet | undefined>(undefined)

/** What the middle of the page shows; the address tells, so that Back leads back. */
export type View = 'chat' | 'models' | 'compare' | 'onnx' | 'api' | 'benchmark'

/** In the order of the menu. */
export const views: readonly View[] = ['chat', 'models', 'compare', 'onnx', 'api', 'benchmark']

const viewOf = (hash: string): View =>
  views.find((view) => hash === `#${view}` && view !== 'benchmark') ?? 'chat'

/** The benchmark is a page of its own, which says so itself. */
export const view = signal<View>(viewOf(location.hash))
addEventListener('hashchange', () => {
  if (view.value !== 'benchmark') view.value = viewOf(location.hash)
})

/** Where a part of the page is, seen from the one at hand. */
export function addressOfView(wanted: View): string {
  if (wanted === 'benchmark') return 'bench.html'
  return view.value === 'benchmark' ? `./#${wanted}` : `#${wanted}`
}

export function showView(next: View): void {
  if (view.value === 'benchmark' || next === 'benchmark') {
    if (view.value !== next) location.assign(addressOfView(next))
    return
  }
  view.value = next
  if (viewOf(location.hash) !== next) location.hash = next
}

/** What is in the box and not yet sent: drafts.ts keeps one for each chat. */
export const draft = signal('')
/** The question that is being put in other words, in its own place. */
export const editing = signal<string | undefined>(undefined)

/** Leaves the question as it was. */
export function cancelEdit(): void {
  editing.value = undefined
}

/** Follows a media query. */
export function media(query: string): { readonly value: boolean } {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', () => {
    matches.value = list.matches
  })
  return matches
}

export const hasNav = media('(min-width: 721px)')
export const hasPanel = media('(min-width: 1101px)')

const panelKey = 'brasa.panel'

/** Whether a wide screen shows the panel beside the chat. */
export const showsPanel = signal(readStored(panelKey) !== false)

/** The panel beside the chat, or over it where there is no room beside. */
export function togglePanel(): void {
  if (hasPanel.value) {
    showsPanel.value = !showsPanel.value
    writeStored(panelKey, showsPanel.value)
  } else sheet.value = sheet.value === 'panel' ? undefined : 'panel'
}
