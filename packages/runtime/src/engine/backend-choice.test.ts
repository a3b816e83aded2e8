import { describe, expect, test } from 'vitest'
import type { LayerTimes } from '../backends/executor.ts'
import { tinyModel } from '../backends/reference/tiny-model.ts'
import { BrasaError } from '../errors.ts'
import {
  type Candidate,
  chooseBackend,
  type Machine,
  type MeasuredTimes,
  type ModelShape,
} from './backend-choice.ts'

function modelOf(options: Parameters<typeof tinyModel>[0] = {}, precision?: 'int8' | 'f32'): ModelShape {
  const { spec, weights } = tinyModel(options)
  return { spec, tensors: weights.tensors, precision }
}

const noAdapter = new BrasaError('webgpu_unavailable', { message: 'This browser has no WebGPU.' })
const noRoom = new BrasaError('out_of_memory', { message: 'There is no room.' })

/** A machine that takes so long for a layer, or fails so. */
function machineOf(
  results: Readonly<Record<Candidate, number | BrasaError>>,
  adapter: string | BrasaError = 'test gpu',
) {
  const timed: Candidate[] = []
  const machine: Machine = {
    cpu: 'test cpu',
    async adapterName() {
      if (adapter instanceof BrasaError) throw adapter
      return adapter
    },
    async timeLayer(candidate) {
      timed.push(candidate)
      const result = results[candidate]
      if (result instanceof BrasaError) throw result
      return result
    },
  }
  return { machine, timed }
}

function memory(): MeasuredTimes & { readonly entries: Map<string, LayerTimes> } {
  const entries = new Map<string, LayerTimes>()
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, times) => void entries.set(key, times),
  }
}

const never = new AbortController().signal
const both: readonly Candidate[] = ['webgpu', 'wasm']
const choose = (machine: Machine, measured: MeasuredTimes = memory(), model = modelOf(), fitting = both) =>
  chooseBackend(model, fitting, machine, measured, never)

describe('chooseBackend', () => {
  test('takes WebAssembly where it is faster, and says both figures', async () => {
    expect(await choose(machineOf({ webgpu: 58, wasm: 5.2 }).machine)).toEqual({
      backend: 'wasm',
      reason: 'WebAssembly was 11 times faster than WebGPU here: 5.2 ms against 58 ms for one layer.',
      layerTimes: { webgpu: 58, wasm: 5.2 },
    })
  })

  test('takes a GPU that is faster, and says both figures', async () => {
    expect(await choose(machineOf({ webgpu: 0.051, wasm: 0.1734 }).machine)).toEqual({
      backend: 'webgpu',
      reason: 'WebGPU was 3.4 times faster than WebAssembly here: 0.051 ms against 0.17 ms for one layer.',
      layerTimes: { webgpu: 0.051, wasm: 0.1734 },
    })
  })

  test('takes the GPU on a tie', async () => {
    const { backend, reason } = await choose(machineOf({ webgpu: 1, wasm: 1 }).machine)
    expect(backend).toBe('webgpu')
    expect(reason).toBe('WebGPU was as fast as WebAssembly here: 1 ms against 1 ms for one layer.')
  })

  test('measures once for a device and a model shape, and gives the same answer again', async () => {
    const measured = memory()
    const first = await choose(machineOf({ webgpu: 58, wasm: 5.2 }).machine, measured)
    const { machine, timed } = machineOf({ webgpu: 1, wasm: 1000 })
    expect(await choose(machine, measured)).toEqual(first)
    expect(timed).toEqual([])
    // Deeper, but of the same layers.
    expect(await choose(machine, measured, modelOf({ numBlocks: 3 }))).toEqual(first)
    expect(timed).toEqual([])
  })

  test.each([
    { what: 'another adapter', adapter: 'other gpu', model: modelOf() },
    { what: 'another encoding', adapter: 'test gpu', model: modelOf({ type: 'Q8_0' }) },
    { what: 'another precision', adapter: 'test gpu', model: modelOf({}, 'f32') },
  ])('measures again for $what', async ({ adapter, model }) => {
    const measured = memory()
    await choose(machineOf({ webgpu: 58, wasm: 5.2 }).machine, measured)
    const { machine, timed } = machineOf({ webgpu: 1, wasm: 1000 }, adapter)
    expect((await choose(machine, measured, model)).backend).toBe('webgpu')
    expect(timed).toEqual(['wasm', 'webgpu'])
  })

  test('times nothing where there is no adapter, and quotes what was wrong', async () => {
    const { machine, timed } = machineOf({ webgpu: 1, wasm: 1 }, noAdapter)
    expect(await choose(machine)).toEqual({
      backend: 'wasm',
      reason: 'WebGPU could not be used: This browser has no WebGPU.',
    })
    expect(timed).toEqual([])
  })

  test('takes the one that runs, and remembers nothing of it', async () => {
    const measured = memory()
    expect(await choose(machineOf({ webgpu: noRoom, wasm: 1 }).machine, measured)).toEqual({
      backend: 'wasm',
      reason: 'WebGPU could not be used: There is no room.',
    })
    expect(await choose(machineOf({ webgpu: 1, wasm: noRoom }).machine, measured)).toEqual({
      backend: 'webgpu',
      reason: 'WebAssembly could not be used: There is no room.',
    })
    expect(measured.entries.size).toBe(0)
  })

  test('leaves a machine on which neither runs to the fallback', async () => {
    await expect(choose(machineOf({ webgpu: noAdapter, wasm: noRoom }).machine)).rejects.toMatchObject({
      code: 'out_of_memory',
      details: { failedBackend: 'wasm' },
    })
  })

  test('leaves a model that WebAssembly cannot hold to the GPU', async () => {
    const { machine, timed } = machineOf({ webgpu: 100, wasm: 1 })
    const chosen = await choose(machine, memory(), modelOf(), ['webgpu'])
    expect(chosen.backend).toBe('webgpu')
    expect(timed).toEqual([])
  })

  test('measures at every load where nothing can be stored', async () => {
    const fail = async () => {
      throw new DOMException('No storage.', 'InvalidStateError')
    }
    const { machine, timed } = machineOf({ webgpu: 58, wasm: 5.2 })
    for (let load = 0; load < 2; load++) {
      expect((await choose(machine, { get: fail, set: fail })).backend).toBe('wasm')
    }
    expect(timed).toEqual(['wasm', 'webgpu', 'wasm', 'webgpu'])
  })

  test('ends when the load is stopped', async () => {
    const controller = new AbortController()
    const { machine } = machineOf({ webgpu: 1, wasm: 1 })
    const stuck: Machine = {
      ...machine,
      timeLayer: () => {
        controller.abort()
        return new Promise(() => {})
      },
    }
    await expect(chooseBackend(modelOf(), both, stuck, memory(), controller.signal)).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})
