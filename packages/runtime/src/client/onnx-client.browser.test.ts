import { afterEach, expect, test } from 'vitest'
import headUrl from '../engine/fixtures/sentiment/onnx/model.onnx?url&no-inline'
import { isBrasaError } from '../errors.ts'
import { createOnnxClient, type OnnxClient } from './onnx-client.ts'

const clients: OnnxClient[] = []

afterEach(() => Promise.all(clients.splice(0).map((client) => client.dispose())))

test('a session outlives its worker', async () => {
  const spawned: Worker[] = []
  const spawn = () => {
    const worker = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module' })
    spawned.push(worker)
    return worker
  }
  const place = { catalogueUrl: new URL('/models/models.json', location.href).href, baseUrl: location.href }
  const client = createOnnxClient(place, { spawn, silenceMs: 1500 })
  clients.push(client)
  const session = await client.openSession(
    { reference: headUrl, provider: 'wasm', maxBatch: 1, maxWaitMs: 0 },
    {},
  )
  const feeds = () => ({ embeddings: { dims: [1, 384], data: Float32Array.from({ length: 384 }, Math.sin) } })
  const before = await session.run(feeds())
  expect(before.logits).toMatchObject({ type: 'float32', dims: [1, 2] })

  spawned[0]!.terminate()
  const error = await session.run(feeds()).catch((reason: unknown) => reason)
  expect(isBrasaError(error) && error.code).toBe('worker_lost')
  expect(await session.run(feeds())).toEqual(before)
  expect(spawned).toHaveLength(2)
})
