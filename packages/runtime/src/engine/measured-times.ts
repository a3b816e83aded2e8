import { createStore, get, set } from 'idb-keyval'
import type { Remembered } from '../backends/remembered.ts'

/** In a database of their own: what is forgotten there is measured again. */
export function storedTimes<Times>(): Remembered<Times> {
  let opened: ReturnType<typeof createStore> | undefined
  const store = () => {
    opened ??= createStore('brasa.backend-choice', 'layer-times')
    return opened
  }
  return {
    get: async (key) => get<Times>(key, store()),
    set: async (key, times) => set(key, times, store()),
  }
}
