import type { OnnxReference } from '@brasa/runtime'
import { createPart, LazyPart } from '../controls/lazy-part.tsx'
import { showView } from '../state/page.ts'

const part = createPart(async () => (await import('./onnx-page.tsx')).OnnxPage)

export function OnnxTab() {
  return <LazyPart part={part} />
}

/** Goes to the ONNX page with a model. */
export async function openOnnxModel(wanted: OnnxReference): Promise<void> {
  showView('onnx')
  if (!(await part.load())) return
  const { openModel } = await import('./run-state.ts')
  await openModel(wanted)
}
