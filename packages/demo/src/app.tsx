import { ApiPage } from './api/api-page.tsx'
import { Talk } from './chat/talk.tsx'
import { ComparePage } from './compare/compare-page.tsx'
import { Composer } from './composer/composer.tsx'
import { OptionsSheet } from './composer/options-sheet.tsx'
import { SheetDialog } from './controls/sheet.tsx'
import { Toasts } from './controls/toast.tsx'
import { Header } from './header.tsx'
import { Keys } from './keys/keys.tsx'
import { DropTarget } from './models/drop.tsx'
import { Models } from './models/models.tsx'
import { ModelsPage } from './models/models-page.tsx'
import { Brand, Side } from './nav/side.tsx'
import { PageNotices } from './offline/notices.tsx'
import { OnnxTab } from './onnx/onnx-tab.tsx'
import { Panel } from './panel/panel.tsx'
import { Preferences } from './preferences/preferences.tsx'
import { hasNav, hasPanel, sheet, showsPanel, view } from './state/page.ts'
import { words } from './words/words.ts'
import './app.css'

/** Chats on the left, the chat in the middle, the machine on the right; narrow screens open the sides as sheets. */
export function App() {
  const { app } = words.value
  return (
    <>
      <button type="button" class="skip quiet" onClick={() => document.querySelector('main')?.focus()}>
        {app.skip}
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
          <Middle />
        </main>
      </div>
      {hasPanel.value && showsPanel.value && view.value === 'chat' && (
        <aside class="side side-right" aria-label={app.machineAndSettings}>
          <Panel />
        </aside>
      )}
      <OpenSheet />
      {!isSideOver() && <Toasts />}
      <DropTarget />
    </>
  )
}

function Middle() {
  switch (view.value) {
    case 'onnx':
      return <OnnxTab />
    case 'models':
      return <ModelsPage />
    case 'compare':
      return <ComparePage />
    case 'api':
      return <ApiPage />
    case 'chat':
      return (
        <>
          <Talk />
          <Composer />
        </>
      )
  }
}

/** What lies under a dialog cannot be reached: a toast that the chats bring lies in theirs. */
function isSideOver(): boolean {
  return sheet.value === 'chats' && !hasNav.value
}

function OpenSheet() {
  const { app } = words.value
  switch (sheet.value) {
    case 'models':
      return (
        <SheetDialog key="models" title={app.models} place="middle">
          <Models />
        </SheetDialog>
      )
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
    case 'options':
      return <OptionsSheet key="options" />
    case 'chats':
      return hasNav.value ? null : (
        <SheetDialog key="chats" title="Brasa" place="left">
          <Side />
          <Toasts />
        </SheetDialog>
      )
    case 'panel':
      return hasPanel.value ? null : (
        <SheetDialog key="panel" title={app.machineAndSettings} place="right">
          <Panel />
        </SheetDialog>
      )
    case undefined:
      return null
  }
}
