import { createStore, get, set } from 'idb-keyval'
import type { LayerTimes } from '../backends/executor.ts'
import type { MeasuredTimes } from './backend-choice.ts'

/** In a database of their own: what is forgotten there is measured again. */
export function storedTimes(): MeasuredTimes {
  let opened: ReturnType<typeof createStore> | undefined
  const store = () => {
    opened ??= createStore('brasa.backend-choice', 'layer-times')
    return opened
  }
  return {
    get: async (key) => get<LayerTimes>(key, store()),
    set: async (key, times) => set(key, times, store()),
  }
}
