import { type Signal, useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatBytes } from '../format/units.ts'
import { describeFailure, model, removeModel } from '../state/model.ts'
import { forgetFacts } from '../state/model-facts.ts'
import { words } from '../words/words.ts'
import { currentId } from './listed.ts'

interface RemoveModelProps {
  readonly id: string
  readonly name: string
  readonly sizeBytes: number
  readonly onFailure: Signal<string | undefined>
}

/** Asks once. The focus goes to what loses nothing, and back where it was. */
export function RemoveModel({ id, name, sizeBytes, onFailure }: RemoveModelProps) {
  const asks = useSignal(false)
  const wasAsked = useRef(false)
  const button = useRef<HTMLButtonElement>(null)
  const keepButton = useRef<HTMLButtonElement>(null)
  const { remove, removeIt, removeSure, removeInUse, keep } = words.value.models
  useLayoutEffect(() => {
    if (asks.value) keepButton.current?.focus()
    else if (wasAsked.current) button.current?.focus()
    wasAsked.current = asks.value
  }, [asks.value])

  const removeNow = async () => {
    asks.value = false
    try {
      await removeModel(id)
      forgetFacts(id)
      document.querySelector<HTMLElement>('#models-title')?.focus()
    } catch (error) {
      onFailure.value = describeFailure(error).message
    }
  }
  if (!asks.value) {
    return (
      <button
        ref={button}
        type="button"
        class="word"
        aria-label={removeIt(name)}
        onClick={() => (asks.value = true)}
      >
        {remove}
      </button>
    )
  }
  const inUse = currentId() === id && model.value.kind === 'ready'
  return (
    <fieldset
      class="model-ask"
      aria-label={removeIt(name)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') asks.value = false
      }}
    >
      <p>
        {removeSure(name, formatBytes(sizeBytes))} {inUse && removeInUse}
      </p>
      <button ref={keepButton} type="button" class="quiet" onClick={() => (asks.value = false)}>
        {keep}
      </button>
      <button type="button" class="quiet model-danger" onClick={removeNow}>
        {remove}
      </button>
    </fieldset>
  )
}
