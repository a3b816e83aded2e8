import { ApiPage } from './api/api-page.tsx'
import { Talk } from './chat/talk.tsx'
import { ComparePage } from './compare/compare-page.tsx'
import { Composer } from './composer/composer.tsx'
import { OptionsSheet } from './composer/options-sheet.tsx'
import { Icon } from './controls/icon.tsx'
import { SheetDialog } from './controls/sheet.tsx'
import { formatBytes } from './format/units.ts'
import { Keys } from './keys/keys.tsx'
import { progressSummary } from './load/progress.ts'
import { DropTarget } from './models/drop.tsx'
import { Models } from './models/models.tsx'
import { ModelsPage } from './models/models-page.tsx'
import { Brand, Nav } from './nav/nav.tsx'
import { OnnxTab } from './onnx/onnx-tab.tsx'
import { PageNotices } from './offline/notices.tsx'
import { Panel } from './panel/panel.tsx'
import { model, reference, referenceName, warnings } from './state/model.ts'
import { hasNav, hasPanel, sheet, showView, type View, view } from './state/page.ts'
import { words } from './words/words.ts'
import './app.css'

/** Chats on the left, the chat in the middle, the machine on the right; narrow screens open the sides as sheets. */
export function App() {
  return (
    <>
      {hasNav.value && (
        <nav class="side side-left" aria-label="Chats">
          <Brand />
          <Nav />
        </nav>
      )}
      <div class="middle">
        <PageNotices />
        <main>
          <Header />
          <Middle />
        </main>
      </div>
      {hasPanel.value && view.value === 'chat' && (
        <aside class="side side-right" aria-label="Machine and settings">
          <Panel />
        </aside>
      )}
      <OpenSheet />
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

function Header() {
  return (
    <header class="head">
      {!hasNav.value && (
        <button type="button" class="icon-button" aria-label="Chats" onClick={() => (sheet.value = 'chats')}>
          <Icon name="menu" />
        </button>
      )}
      <nav class="tabs" aria-label={words.value.app.partsOfThePage}>
        {(['chat', 'models', 'compare', 'onnx', 'api'] as const).map((each) => (
          <Tab key={each} to={each} word={words.value.app[each]} />
        ))}
      </nav>
      {view.value === 'chat' && <ChatHeader />}
    </header>
  )
}

function Tab({ to, word }: { readonly to: View; readonly word: string }) {
  return (
    <a
      class="tab"
      href={`#${to}`}
      aria-current={view.value === to ? 'page' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        showView(to)
      }}
    >
      {word}
    </a>
  )
}

/** The chat's model, how it is, and the way to its panel. */
function ChatHeader() {
  const state = model.value
  const info = state.kind === 'ready' ? state.engine.model : undefined
  return (
    <>
      <button
        type="button"
        class="head-model"
        title="Models"
        aria-label={`Models: ${info?.name ?? referenceName(reference.value)}`}
        onClick={() => (sheet.value = 'models')}
      >
        <span>{info?.name ?? referenceName(reference.value)}</span>
        {info !== undefined && (
          <small class="figures">{`${info.quantisation} · ${formatBytes(info.sizeBytes)}`}</small>
        )}
      </button>
      <StatusChip />
      {!hasPanel.value && (
        <button
          type="button"
          class="icon-button"
          aria-label="Machine and settings"
          onClick={() => (sheet.value = 'panel')}
        >
          <Icon name="panel" />
        </button>
      )}
    </>
  )
}

function StatusChip() {
  const state = model.value
  const [word, mood] = {
    checking: ['Looking', 'idle'],
    absent: ['Not loaded', 'idle'],
    loading: [state.kind === 'loading' ? progressSummary(state.progress) : '', 'busy'],
    ready: isOnlyInMemory() ? ['In memory only', 'idle'] : ['On this device', 'good'],
    failed: ['Not loaded', 'bad'],
  }[state.kind] as [string, string]
  return (
    <div class={`chip chip-${mood} figures`} role="status" aria-label="Model state">
      <i class={`dot dot-${mood}`} />
      {word}
    </div>
  )
}

/** What is loaded will have to be fetched again. */
function isOnlyInMemory(): boolean {
  return warnings.value.some(({ code }) => code === 'quota_exceeded' || code === 'storage_unavailable')
}

function OpenSheet() {
  switch (sheet.value) {
    case 'models':
      return (
        <SheetDialog key="models" title="Models" place="middle">
          <Models />
        </SheetDialog>
      )
    case 'keys':
      return (
        <SheetDialog key="keys" title="Keys" place="middle">
          <Keys />
        </SheetDialog>
      )
    case 'options':
      return <OptionsSheet key="options" />
    case 'chats':
      return hasNav.value ? null : (
        <SheetDialog key="chats" title="Chats" place="left">
          <Nav />
        </SheetDialog>
      )
    case 'panel':
      return hasPanel.value ? null : (
        <SheetDialog key="panel" title="Machine and settings" place="right">
          <Panel />
        </SheetDialog>
      )
    case undefined:
      return null
  }
}
