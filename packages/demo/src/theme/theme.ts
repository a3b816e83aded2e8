import { computed, effect, signal } from '@preact/signals'
import { media } from '../state/page.ts'
import { readStored, writeStored } from '../state/storage.ts'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const storageKey = 'brasa.theme'

/** What the person chose; `system` follows the device. */
export const theme = signal<Theme>('system')

const deviceIsDark = media('(prefers-color-scheme: dark)')

/** For what CSS does not reach, such as a canvas: read it, and draw again when it changes. */
export const isDark = computed(() => (theme.value === 'system' ? deviceIsDark.value : theme.value === 'dark'))

export function chooseTheme(next: Theme): void {
  theme.value = next
  writeStored(storageKey, next)
}

/** Takes the stored choice and keeps the page, and the browser's bars around it, in the theme from now on. */
export function rememberTheme(): void {
  const stored = readStored(storageKey)
  theme.value = themes.find((name) => name === stored) ?? 'system'
  const bars = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')]
  const own = bars.map(({ media: query, content }) => ({ query, content }))
  effect(() => {
    const root = document.documentElement
    if (theme.value === 'system') delete root.dataset.theme
    else root.dataset.theme = theme.value
    const chosen = own.find(({ query }) => query.includes(isDark.value ? 'dark' : 'light'))
    bars.forEach((bar, index) => {
      bar.content = (theme.value === 'system' ? own[index] : chosen)?.content ?? bar.content
    })
  })
}
