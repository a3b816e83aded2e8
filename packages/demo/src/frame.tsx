import type { ComponentChildren } from 'preact'
import { SheetDialog } from './controls/sheet.tsx'
import { Toasts } from './controls/toast.tsx'
import { Header } from './header.tsx'
import { Keys } from './keys/keys.tsx'
import { Brand, Side } from './nav/side.tsx'
import { PageNotices } from './offline/notices.tsx'
import { Preferences } from './preferences/preferences.tsx'
import { hasNav, sheet } from './state/page.ts'
import { words } from './words/words.ts'
import './app.css'

interface FrameProps {
  /** What the middle shows. */
  readonly children: ComponentChildren
  /** What stands to the right of it. */
  readonly beside?: ComponentChildren
}

/** What every part of the app has around it: parts and chats on the left, what the page has to say, and the sheets that any part opens. */
export function Frame({ children, beside }: FrameProps) {
  return (
    <>
      <button type="button" class="skip quiet" onClick={() => document.querySelector('main')?.focus()}>
        {words.value.app.skip}
      </button>
      {hasNav.value && (
        <div class="side side-left">
          <Brand />
          <Side />
        </div>
      )}
      <div class="middle">
        <PageNotices />
        <main tabIndex={-1}>
          <Header />
          {children}
        </main>
      </div>
      {beside}
      <CommonSheet />
      {!isSideOver() && <Toasts />}
    </>
  )
}

/** What lies under a dialog cannot be reached: a toast that the chats bring lies in theirs. */
function isSideOver(): boolean {
  return sheet.value === 'chats' && !hasNav.value
}

function CommonSheet() {
  const { app } = words.value
  switch (sheet.value) {
    case 'keys':
      return (
        <SheetDialog key="keys" title={app.keys} place="middle">
          <Keys />
        </SheetDialog>
      )
    case 'preferences':
      return (
        <SheetDialog key="preferences" title={app.preferences} place="middle">
          <Preferences />
        </SheetDialog>
      )
    case 'chats':
      return hasNav.value ? null : (
        <SheetDialog key="chats" title="Brasa" place="left">
          <Side />
          <Toasts />
        </SheetDialog>
      )
    default:
      return null
  }
}
