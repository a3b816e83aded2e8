import { signal } from '@preact/signals'

/** Chromium's own: other browsers install from their menus. */
interface InstallPromptEvent extends Event {
  prompt(): Promise<unknown>
}

const offer = signal<InstallPromptEvent | undefined>(undefined)

/** Whether the browser offers to install the app. */
export const canInstall = () => offer.value !== undefined

export function watchInstallOffer(): void {
  addEventListener('beforeinstallprompt', (event) => {
    // Without this the browser shows an offer of its own, when it likes.
    event.preventDefault()
    offer.value = event as InstallPromptEvent
  })
  addEventListener('appinstalled', () => {
    offer.value = undefined
  })
}

/** Asks the person. An offer can be used once; the browser makes another if it is declined. */
export async function install(): Promise<void> {
  const current = offer.value
  offer.value = undefined
  await current?.prompt()
}
