import type { InspectRequest, MemoryEstimate, ModelInspection } from '../protocol.ts'
import { openShardStore } from '../storage/overflow-store.ts'
import { peekModel } from '../storage/peek-model.ts'
import { chatTemplateFeatures } from '../tokenizer/template-features.ts'
import { backendMemory } from './backends.ts'
import { describeHeader, type HeaderDescription } from './describe-file.ts'
import { planMemory, totalBytes } from './memory-plan.ts'
import { modelFacts } from './model-facts.ts'

/**
 * Says what a model is and what it would take to load it, from its header: nothing is stored, and no weights are fetched.
 * @throws BrasaError what opening it throws for its reference, its server, its header or its architecture
 */
export async function inspectModel(request: InspectRequest): Promise<ModelInspection> {
  const { model, catalogueUrl, baseUrl } = request
  const store = await openShardStore()
  const peeked = await peekModel(model, { store, catalogueUrl, baseUrl })
  try {
    const described = await describeHeader(peeked.files, undefined)
    const { header, spec } = described
    const { entry, storedBytes, isHere } = peeked
    const { name = peeked.id, licence: ownLicence, ...facts } = modelFacts(header)
    const licence = entry?.licence ?? ownLicence
    const sizeBytes = peeked.files.reduce((sum, { size }, file) => sum + knownSize(size, file, described), 0)
    const [webgpu, wasm, ort] = await Promise.all([
      estimate('webgpu', described, request),
      estimate('wasm', described, request),
      estimate('ort', described, request),
    ])
    return {
      id: peeked.id,
      ...facts,
      name: entry?.name ?? name,
      contextLength: spec.contextLength,
      ...(licence === undefined ? {} : { licence }),
      ...(entry?.terms === undefined ? {} : { terms: entry.terms }),
      template: chatTemplateFeatures(header.metadata),
      sizeBytes,
      storedBytes,
      fetchBytes: isHere ? 0 : sizeBytes - storedBytes,
      memory: { webgpu, wasm, ort },
    }
  } finally {
    peeked.close()
  }
}

async function estimate(
  backend: keyof ModelInspection['memory'],
  { header, spec }: HeaderDescription,
  wishes: InspectRequest,
): Promise<MemoryEstimate> {
  const plan = planMemory(spec, header.tensors, await backendMemory(backend), wishes)
  const { contextLength, memory, problem } = plan
  return {
    ...memory,
    totalBytes: totalBytes(memory),
    contextLength,
    ...(problem === undefined ? {} : { problem: problem.message }),
  }
}

/** A server may not say how long a file is: then it ends where its last tensor does. */
function knownSize(size: number, file: number, { header }: HeaderDescription): number {
  if (size < Number.MAX_SAFE_INTEGER) return size
  return [...header.tensors.values()].reduce(
    (end, tensor) => (tensor.file === file ? Math.max(end, tensor.byteOffset + tensor.byteLength) : end),
    0,
  )
}
