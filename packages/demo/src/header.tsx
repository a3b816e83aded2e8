import { leaveForNewChat } from './chats/moves.ts'
import { Icon } from './controls/icon.tsx'
import { formatBytes } from './format/units.ts'
import { progressSummary } from './load/progress.ts'
import { Brand } from './nav/side.tsx'
import { model, reference, referenceName, warnings } from './state/model.ts'
import { hasNav, hasPanel, sheet, showsPanel, togglePanel, view } from './state/page.ts'
import { words } from './words/words.ts'

/** Above the chat: its model, how it is, and the way to its panel. The other parts have it only for the menu of a phone. */
export function Header() {
  if (view.value !== 'chat' && hasNav.value) return null
  return (
    <header class="head">
      {!hasNav.value && (
        <button
          type="button"
          class="icon-button"
          aria-label={words.value.app.menu}
          aria-haspopup="dialog"
          onClick={() => (sheet.value = 'chats')}
        >
          <Icon name="menu" />
        </button>
      )}
      {view.value === 'chat' ? <ChatHeader /> : <Brand />}
    </header>
  )
}

function ChatHeader() {
  const { app } = words.value
  const state = model.value
  const info = state.kind === 'ready' ? state.engine.model : undefined
  const name = info?.name ?? referenceName(reference.value)
  return (
    <>
      <button
        type="button"
        class="head-model"
        title={app.models}
        aria-haspopup="dialog"
        onClick={() => (sheet.value = 'models')}
      >
        <span class="visually-hidden">{`${app.models}: `}</span>
        <span class="head-name">{name}</span>
        {info !== undefined && (
          <small class="figures">{`${info.quantisation} · ${formatBytes(info.sizeBytes)}`}</small>
        )}
      </button>
      <StatusChip />
      {!hasNav.value && (
        <button
          type="button"
          class="icon-button"
          aria-label={words.value.chats.newChat}
          title={words.value.chats.newChat}
          onClick={leaveForNewChat}
        >
          <Icon name="plus" />
        </button>
      )}
      <button
        type="button"
        class="icon-button"
        aria-label={app.machineAndSettings}
        title={app.machineAndSettings}
        aria-expanded={hasPanel.value ? showsPanel.value : undefined}
        aria-haspopup={hasPanel.value ? undefined : 'dialog'}
        onClick={togglePanel}
      >
        <Icon name="panel" />
      </button>
    </>
  )
}

function StatusChip() {
  const { app } = words.value
  const state = model.value
  const [word, mood] = {
    checking: [app.looking, 'idle'],
    absent: [app.notLoaded, 'idle'],
    loading: [state.kind === 'loading' ? progressSummary(state.progress) : '', 'busy'],
    ready: isOnlyInMemory() ? [app.inMemoryOnly, 'idle'] : [app.onThisDevice, 'good'],
    failed: [app.notLoaded, 'bad'],
  }[state.kind] as [string, string]
  // A percentage that changes is not read out each time.
  const live = state.kind === 'loading' ? 'off' : 'polite'
  return (
    <div class={`chip chip-${mood} figures`} role="status" aria-live={live} aria-label={app.modelState}>
      <i class={`dot dot-${mood}`} />
      {word}
    </div>
  )
}

/** What is loaded will have to be fetched again. */
function isOnlyInMemory(): boolean {
  return warnings.value.some(({ code }) => code === 'quota_exceeded' || code === 'storage_unavailable')
}
