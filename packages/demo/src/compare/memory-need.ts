import type { OfferedBackend } from '../state/backend.ts'
import type { ModelFacts } from '../state/model-facts.ts'

/** What a model takes where it may run: at most, where the choice is left to the engine. */
export function memoryNeed({ memory }: ModelFacts, backend: OfferedBackend): number {
  const able = memory.filter(({ problem }) => problem === undefined)
  const named = able.filter((need) =>
    backend === 'auto' ? need.backend !== 'ort' : need.backend === backend,
  )
  return Math.max(0, ...named.map(({ totalBytes }) => totalBytes))
}

/** Whether so much may be taken: refused only where the device is known to have less. */
export function isTooMuch(neededBytes: number, limitBytes: number | undefined): boolean {
  return limitBytes !== undefined && neededBytes > limitBytes
}
