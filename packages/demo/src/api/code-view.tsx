import { useSignal } from '@preact/signals'
import { CopyButton } from '../controls/copy.tsx'
import { Tabs } from '../controls/tabs.tsx'
import { words } from '../words/words.ts'
import { request, wayTo } from './console-state.ts'
import { type CodeKind, codeOf } from './request-code.ts'

/** The request as it would be written elsewhere. */
export function CodeView() {
  const say = words.value.api
  const kind = useSignal<CodeKind>('curl')
  const way = wayTo(request.value.path)
  const code = codeOf(kind.value, request.value, way)
  return (
    <div class="api-code">
      <Tabs
        label={say.asCode}
        tabs={[
          { id: 'curl', word: 'curl' },
          { id: 'openai', word: 'openai' },
          { id: 'fetch', word: 'fetch' },
        ]}
        chosen={kind.value}
        onChoose={(id) => {
          kind.value = id
        }}
      >
        {code === undefined ? (
          <p class="small soft api-no-code">{say.noCall}</p>
        ) : (
          <div class="api-block">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
            <section class="api-scroll" tabIndex={0} aria-label={say.code}>
              <pre>{code}</pre>
            </section>
            <CopyButton text={() => code} label={say.code} />
          </div>
        )}
        {kind.value === 'curl' && <p class="small soft">{say.curlNote}</p>}
      </Tabs>
    </div>
  )
}
