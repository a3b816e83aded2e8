import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { formatBytes, formatCount } from '../format/units.ts'
import { refreshMemory } from '../state/model.ts'
import { en } from '../words/en.ts'
import { words } from '../words/words.ts'
import { countScriptMemory, facts, lookAround, refreshStorage, scriptMemory } from './device-state.ts'
import { type FactSection, factSections, reportOf } from './facts.ts'
import { Rows } from './rows.tsx'

/** The machine in full, folded, and the same as text. */
export function DeviceSection() {
  useEffect(() => void lookAround(), [])
  const say = words.value.device
  const sections = new Map(factSections(facts.value, say).map((section) => [section.id, section]))
  return (
    <section aria-label={say.thisDevice}>
      <h3>{say.thisDevice}</h3>
      <Fold section={sections.get('memory')!} onOpen={countMemory}>
        <ModelMemory />
        <ScriptMemory />
      </Fold>
      <Fold section={sections.get('graphics')!}>
        <Limits />
      </Fold>
      <Fold section={sections.get('storage')!} onOpen={() => void refreshStorage()} />
      <Fold section={sections.get('browser')!} />
      <CopyReport />
    </section>
  )
}

function countMemory(): void {
  void refreshMemory()
  void countScriptMemory()
}

interface FoldProps {
  readonly section: FactSection
  readonly onOpen?: () => void
  readonly children?: ComponentChildren
}

function Fold({ section: { title, rows }, onOpen, children }: FoldProps) {
  return (
    <details class="fold" onToggle={(event) => event.currentTarget.open && onOpen?.()}>
      <summary>{title}</summary>
      <div class="fold-body">
        <Rows rows={rows} />
        {children}
      </div>
    </details>
  )
}

/** What the model's memory is made of, as one bar. */
function ModelMemory() {
  const { memory } = facts.value
  const say = words.value.device
  if (memory === undefined) return null
  const parts = [
    ['weights', memory.weightBytes],
    ['cache', memory.kvCacheBytes],
    ['working', memory.otherBytes],
  ] as const
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0)
  return (
    <div class="memory-parts" role="img" aria-label={say.modelHolds(formatBytes(total))}>
      {parts.map(([name, bytes]) => (
        <i key={name} class={`memory-${name}`} style={{ flexGrow: bytes }} />
      ))}
    </div>
  )
}

function ScriptMemory() {
  const say = words.value.device
  const { kind } = scriptMemory.value
  if (kind === 'counted' || kind === 'unknown') return null
  return <p class="soft">{kind === 'counting' ? say.counting : say.notCounted}</p>
}

function Limits() {
  const { adapter } = facts.value
  if (!adapter) return null
  return (
    <details class="fold fold-inner">
      <summary>{words.value.device.limitsOf(adapter.limits.length)}</summary>
      <Rows rows={adapter.limits.map(([name, value]) => [name, formatCount(value)])} />
    </details>
  )
}

/** In English whatever the page speaks: who reads a report need not be who sends it. */
function CopyReport() {
  const state = useSignal<'idle' | 'copied' | 'refused'>('idle')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(reportOf(facts.value, en.device))
      state.value = 'copied'
    } catch {
      state.value = 'refused'
    }
    setTimeout(() => {
      state.value = 'idle'
    }, 2500)
  }
  const say = words.value.device
  return (
    <div class="panel-copy">
      <button type="button" class="quiet" onClick={copy}>
        {say.copyAsText}
      </button>
      <span class="soft" role="status">
        {{ idle: '', copied: say.copied, refused: say.copyRefused }[state.value]}
      </span>
    </div>
  )
}
