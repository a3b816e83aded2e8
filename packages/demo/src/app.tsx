import { ApiPage } from './api/api-page.tsx'
import { Talk } from './chat/talk.tsx'
import { ComparePage } from './compare/compare-page.tsx'
import { Composer } from './composer/composer.tsx'
import { OptionsSheet } from './composer/options-sheet.tsx'
import { SheetDialog } from './controls/sheet.tsx'
import { Frame } from './frame.tsx'
import { DropTarget } from './models/drop.tsx'
import { Models } from './models/models.tsx'
import { ModelsPage } from './models/models-page.tsx'
import { OnnxTab } from './onnx/onnx-tab.tsx'
import { Panel } from './panel/panel.tsx'
import { hasPanel, sheet, showsPanel, view } from './state/page.ts'
import { words } from './words/words.ts'

/** Chats on the left, the chat in the middle, the machine on the right; narrow screens open the sides as sheets. */
export function App() {
  return (
    <>
      <Frame beside={<Beside />}>
        <Middle />
      </Frame>
      <OwnSheet />
      <DropTarget />
    </>
  )
}

function Beside() {
  if (!hasPanel.value || !showsPanel.value || view.value !== 'chat') return null
  return (
    <aside class="side side-right" aria-label={words.value.app.machineAndSettings}>
      <Panel />
    </aside>
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
    case 'benchmark':
      // A page of its own.
      return null
  }
}

/** Those that the benchmark page does not have. */
function OwnSheet() {
  const { app } = words.value
  switch (sheet.value) {
    case 'models':
      return (
        <SheetDialog key="models" title={app.models} place="middle">
          <Models />
        </SheetDialog>
      )
    case 'options':
      return <OptionsSheet key="options" />
    case 'panel':
      return hasPanel.value ? null : (
        <SheetDialog key="panel" title={app.machineAndSettings} place="right">
          <Panel />
        </SheetDialog>
      )
    default:
      return null
  }
}
