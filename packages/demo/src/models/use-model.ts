import type { ModelReference } from '@brasa/runtime'
import { openOnnxModel } from '../onnx/onnx-tab.tsx'
import { lookAway } from '../state/inspection.ts'
import { loadModel } from '../state/model.ts'
import { sheet } from '../state/page.ts'

/** Loads a model for the chat; the page stays where it is. */
export function take(wanted: ModelReference): void {
  lookAway()
  sheet.value = undefined
  void loadModel(wanted)
}

export function openOnnx(id: string): void {
  sheet.value = undefined
  void openOnnxModel(id)
}
