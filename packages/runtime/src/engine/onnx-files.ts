import type { OnnxModelBytes } from '../backends/onnx-model.ts'
import { BrasaError, isBrasaError } from '../errors.ts'
import type { LoadEvents, OnnxReference, Place } from '../onnx-protocol.ts'
import { type OpenedModel, type OpenModelOptions, openModel } from '../storage/open-model.ts'
import { openShardStore } from '../storage/overflow-store.ts'
import type { ShardStore } from '../storage/shard-store.ts'
import type { StoredFile } from '../storage/stored-file.ts'
import { createLoadProgress, type LoadProgressReporter } from './load-progress.ts'

/** An ONNX model's files, in the shard store. */
export interface OnnxFiles {
  readonly id: string
  /** The model and its external data, whole in memory. @throws BrasaError `not_an_onnx`, `malformed_model` */
  readBytes(): Promise<OnnxModelBytes>
  /** A file that belongs to the model, such as tokenizer.json. @throws BrasaError `malformed_model` if it is no JSON */
  readJson(name: string): Promise<unknown>
  /** As `readJson`; undefined where there is no such file. */
  findJson(name: string): Promise<unknown>
  /** Tokens that the model may be given at once, where the catalogue says it. */
  readonly contextLength?: number
  readonly progress: LoadProgressReporter
}

/** One for the worker's life: what did not fit on the disk is in its memory. */
let openedStore: Promise<ShardStore> | undefined

/**
 * Opens an ONNX model, bringing it into the store first where it is not there yet.
 * @throws BrasaError `unknown_model`, `truncated_model` for a file of 0 bytes, `invalid_request`, and what `openModel` does
 */
export async function openOnnxFiles(
  reference: OnnxReference,
  place: Place,
  events: LoadEvents,
  signal: AbortSignal,
): Promise<OnnxFiles> {
  openedStore ??= openShardStore()
  const store = await openedStore
  let totalBytes = 0
  const progress = createLoadProgress(() => totalBytes, events.onProgress)
  const options: OpenModelOptions = {
    ...{ store, signal, ...place, format: 'onnx' },
    onWarning: events.onWarning,
    onProgress: progress.fromStorage,
  }
  const opened = await openModel(reference, options)
  totalBytes = opened.files.reduce((sum, file) => sum + file.size, 0)
  const modelFile = opened.files.find(({ name }) => /\.onnx$/i.test(name)) ?? onlyFile(opened)

  /** A file of the list or folder, else one beside the model where that came from an address. */
  async function find(path: string): Promise<StoredFile | undefined> {
    const plain = path.replace(/^\.\//, '')
    const base = plain.split('/').at(-1)
    const listed =
      opened.files.find((file) => file.name === plain) ?? opened.files.find((file) => file.name === base)
    if (listed !== undefined) return listed
    if (typeof reference !== 'string' || opened.files.length > 1 || !URL.canParse(opened.id)) return undefined
    return openAddress(new URL(plain, opened.id).href)
  }

  async function openAddress(url: string): Promise<StoredFile | undefined> {
    try {
      return (await openModel([url], options)).files[0]
    } catch (error) {
      // Not there; or a server that answers with its page wherever it has nothing.
      const isMissing = isBrasaError(error) && (error.details.status === 404 || error.code === 'not_an_onnx')
      if (isMissing) return undefined
      throw error
    }
  }

  /** Repositories have their models in a folder onnx/, and what is common to them above it. */
  async function findAbove(name: string): Promise<StoredFile | undefined> {
    if (typeof reference !== 'string' || !/\/onnx\/[^/]+$/.test(opened.id)) return undefined
    return openAddress(new URL(`../${name}`, opened.id).href)
  }

  const readAll = (file: StoredFile) => file.read(0, file.size, signal)

  async function findJson(name: string): Promise<unknown> {
    const file = (await find(name)) ?? (await findAbove(name))
    if (file === undefined) return undefined
    try {
      return JSON.parse(new TextDecoder().decode(await readAll(file)))
    } catch (cause) {
      if (isBrasaError(cause)) throw cause
      throw new BrasaError('malformed_model', {
        message: `${file.name} of ${opened.id} is not JSON. Get it again.`,
        details: { name },
        cause,
      })
    }
  }

  return {
    id: opened.id,
    ...(opened.entry === undefined ? {} : { contextLength: opened.entry.contextLength }),
    progress,
    findJson,
    async readJson(name) {
      const value = await findJson(name)
      if (value === undefined) throw missing(opened.id, name)
      return value
    },
    async readBytes() {
      const model = await readAll(modelFile)
      const { externalDataPaths } = await import('../formats/onnx-external-data.ts')
      try {
        const externalData = []
        for (const path of externalDataPaths(model, modelFile.name)) {
          const file = await find(path)
          if (file === undefined) throw missing(opened.id, path)
          externalData.push({ path, data: await readAll(file) })
        }
        return { name: modelFile.name, model, externalData }
      } catch (error) {
        if (isBrasaError(error) && error.code === 'not_an_onnx') await forget(store, opened.id)
        throw error
      }
    },
  }
}

/** What is no model must not be found in the store again at every load. */
async function forget(store: ShardStore, id: string): Promise<void> {
  await store.removeModel(id)
  await store.collectGarbage()
}

function onlyFile({ id, files }: OpenedModel): StoredFile {
  if (files.length === 1) return files[0]!
  throw new BrasaError('invalid_request', {
    message: `${id} has no .onnx file among its files: ${files.map(({ name }) => name).join(', ')}.`,
  })
}

function missing(id: string, name: string): BrasaError {
  return new BrasaError('invalid_request', {
    message: `${id} needs the file ${name}, which is not there. Give it together with the model: a list of both, or a folder.`,
    details: { name },
  })
}
