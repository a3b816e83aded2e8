import { transfer } from 'comlink'
import type { LoadOnnxModel, OnnxModel } from '../backends/onnx-model.ts'
import { BrasaError, throwIfAborted } from '../errors.ts'
import type {
  CallId,
  EmbeddingResponse,
  LoadEvents,
  OnnxProvider,
  OnnxReference,
  OnnxService,
  Place,
  SessionId,
  Tensors,
  WithProvider,
} from '../onnx-protocol.ts'
import { untilAborted } from '../storage/abort.ts'
import { classify, loadClassifier } from './classify.ts'
import { type Embedder, embed, loadEmbedder } from './embeddings.ts'
import { createBatching } from './onnx-batching.ts'
import { type OnnxFiles, openOnnxFiles } from './onnx-files.ts'

interface Session {
  readonly model: OnnxModel
  readonly run: OnnxModel['run']
}

/** ONNX models as the worker exposes them: sessions by id, and the models that embed and classify text, each loaded once. A worker has one provider. */
export function createOnnxService(loadModel: LoadOnnxModel): OnnxService {
  const sessions = new Map<SessionId, Session>()
  const calls = new Map<CallId, AbortController>()
  let lastSession: SessionId = 0

  async function abortable<T>(call: CallId, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    calls.set(call, controller)
    try {
      return await run(controller.signal)
    } finally {
      calls.delete(call)
    }
  }

  const embedders = loadedOnce((files, provider) => loadEmbedder(files, loadModel, provider))
  const classifiers = loadedOnce((files, provider) => loadClassifier(files, loadModel, provider))

  return {
    ping: () => {},
    abortCall: (call) => calls.get(call)?.abort(),
    openSession: (call, request, place, events) =>
      abortable(call, async (signal) => {
        const files = await openOnnxFiles(request.reference, place, events, signal)
        const bytes = await files.readBytes()
        files.progress.enter('compile')
        const model = await loadModel(bytes, request.provider)
        if (signal.aborted) await model.release()
        throwIfAborted(signal)
        files.progress.enter('ready')
        const id = ++lastSession
        sessions.set(id, { model, run: createBatching(model.run, request) })
        return { id, inputs: model.inputs, outputs: model.outputs }
      }),
    async runSession(id, feeds) {
      const session = sessions.get(id)
      if (session === undefined) {
        throw new BrasaError('disposed', {
          message: 'This session was released. Create a new one with engine.sessions.create.',
        })
      }
      // Before it is joined with others, which are not to fail with it.
      session.model.check(feeds)
      return transferred(await session.run(feeds))
    },
    async releaseSession(id) {
      const session = sessions.get(id)
      sessions.delete(id)
      await session?.model.release()
    },
    embed: (call, request, place, events) =>
      abortable(call, async (signal) => {
        const embedder = await embedders(request, place, events, signal)
        const response = await embed(embedder, request, signal)
        return transfer(response, buffersOf(response))
      }),
    classify: (call, request, place, events) =>
      abortable(call, async (signal) => {
        const classifier = await classifiers(request, place, events, signal)
        const embedder: Embedder | undefined =
          request.embedder === undefined
            ? undefined
            : await embedders({ ...request, model: request.embedder }, place, events, signal)
        return classify(classifier, embedder, request, signal)
      }),
  }
}

/** Loads a model when it is first asked for, and again if that failed. */
function loadedOnce<T>(load: (files: OnnxFiles, provider: OnnxProvider) => Promise<T>) {
  const loaded = new Map<string, Promise<T>>()
  return async (
    { model, provider }: WithProvider<{ readonly model: OnnxReference }>,
    place: Place,
    events: LoadEvents,
    signal: AbortSignal,
  ) => {
    const key = keyOf(model)
    let loading = loaded.get(key)
    if (loading === undefined) {
      // Not the caller's own signal: others may wait for the same model.
      const never = new AbortController().signal
      loading = openOnnxFiles(model, place, events, never).then((files) => load(files, provider))
      loaded.set(key, loading)
      loading.catch(() => loaded.delete(key))
    }
    return untilAborted(loading, signal).catch((error: unknown) => {
      throwIfAborted(signal)
      throw error
    })
  }
}

function keyOf(reference: OnnxReference): string {
  return [reference]
    .flat()
    .map((part) => (part instanceof File ? `${part.name} ${part.size} ${part.lastModified}` : part))
    .join('\n')
}

function transferred(tensors: Tensors): Tensors {
  const buffers = Object.values(tensors).flatMap(({ data }) =>
    ArrayBuffer.isView(data) ? [data.buffer as ArrayBuffer] : [],
  )
  return transfer(tensors, [...new Set(buffers)])
}

function buffersOf({ data }: EmbeddingResponse): ArrayBuffer[] {
  return data.map(({ embedding }) => embedding.buffer as ArrayBuffer)
}
