import type { GgmlType } from '../../formats/ggml-types.ts'
import { createBatchBuffers, writeBatch } from './batch.ts'
import { reads, writes } from './bindings.ts'
import { commonLayout, type DeviceLayout, planeBytes, widthFor } from './device-planes.ts'
import { type Dispatch, encodeDispatch, prepareDispatch } from './dispatch.ts'
import { createStorageBuffer, type Gpu, submit, writeBuffer } from './gpu.ts'
import { prepareAttentionDecode } from './kernels/attention-decode.ts'
import { attentionPartsBytes } from './kernels/attention-parts.ts'
import { kvPageBytes, kvPageTokens } from './kernels/kv-pages.ts'
import { prepareMatmul } from './kernels/matmul.ts'
import { prepareMatvec } from './kernels/matvec.ts'
import { prepareRmsNorm } from './kernels/rms-norm.ts'
import type { WeightMatrix } from './weight-matrix.ts'

export interface KernelSpeed {
  readonly name: string
  /** That one run must read. */
  readonly bytes: number
  readonly gigabytesPerSecond: number
  /** Of the read-only kernel's. */
  readonly shareOfLimit: number
  /** Multiplications and additions, where they and not the memory are the work. */
  readonly gigaflopsPerSecond?: number
}

export interface KernelSpeedOptions {
  /** Bytes of a matrix: more than the caches hold, where the speed of the memory is the question. */
  readonly matrixBytes: number
  readonly minSeconds: number
}

/** Reads every word of a buffer in order, a vec4 a lane, and writes what never comes true, so that no read can be left out. */
const readOnlyWgsl = `
override numVectors: u32;
override numThreads: u32;
@group(0) @binding(0) var<storage, read> words: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var sum = vec4<u32>(0u);
  for (var i = id.x; i < numVectors; i += numThreads) { sum += words[i]; }
  if ((sum.x | sum.y | sum.z | sum.w) == 0xfffffffeu) { result[0] = id.x; }
}
`

const types: readonly GgmlType[] = ['Q4_0', 'Q4_1', 'Q4_K', 'Q5_0', 'Q5_K', 'Q6_K', 'Q8_0', 'F16', 'F32']

const numColumns = 2048
const prefillRows = 32

/** How fast each kernel reads what it must, beside one that does nothing but read. Contents are zeros: no kernel looks. */
export async function measureKernels(gpu: Gpu, options: KernelSpeedOptions): Promise<KernelSpeed[]> {
  const { matrixBytes } = options
  const limit = await readOnlySpeed(gpu, options)
  const speeds: KernelSpeed[] = [
    { name: 'read only', bytes: matrixBytes, gigabytesPerSecond: limit, shareOfLimit: 1 },
  ]
  const measure = async (
    name: string,
    bytes: number,
    dispatches: readonly Dispatch[],
    batchRows: number,
    operations = 0,
  ) => {
    const seconds = await secondsOf(gpu, dispatches, batchRows, options.minSeconds)
    const gigabytesPerSecond = bytes / seconds / 1e9
    speeds.push({
      name,
      bytes,
      gigabytesPerSecond,
      shareOfLimit: gigabytesPerSecond / limit,
      ...(operations > 0 && { gigaflopsPerSecond: operations / seconds / 1e9 }),
    })
  }

  const input = createStorageBuffer(gpu, 'check.input', prefillRows * numColumns * 4)
  const batch = createBatchBuffers(gpu, 'check', prefillRows)
  for (const type of types) {
    const { matrix, bytes } = emptyMatrix(gpu, commonLayout([type], widthFor(gpu, 'base')), matrixBytes)
    const output = createStorageBuffer(gpu, 'check.output', prefillRows * matrix.numRows * 4)
    const bindings = { weights: matrix, input, output, epilogue: 'store', batch } as const
    writeBatch(gpu, batch, rowsAt(1, 0))
    await measure(`matvec ${type}`, bytes, [await prepareMatvec(gpu, bindings)], 1)
    writeBatch(gpu, batch, rowsAt(prefillRows, 0))
    const operations = 2 * prefillRows * matrix.numRows * numColumns
    const matmul = await prepareMatmul(gpu, bindings)
    await measure(`matmul ${type}, ${prefillRows} tokens`, bytes, [matmul], prefillRows, operations)
    for (const buffer of [matrix.quants, matrix.scales, output]) buffer.destroy()
  }

  const gain = createStorageBuffer(gpu, 'check.gain', numColumns * 4)
  const normed = createStorageBuffer(gpu, 'check.normed', prefillRows * numColumns * 4)
  const norm = await prepareRmsNorm(gpu, {
    input,
    gain,
    output: normed,
    hiddenSize: numColumns,
    epsilon: 1e-5,
    batch,
  })
  await measure(`rms_norm, ${prefillRows} tokens`, prefillRows * numColumns * 4, [norm], prefillRows)
  for (const buffer of [gain, normed, input, batch.count, batch.rows]) buffer.destroy()

  const attention = await attentionOver(gpu, 2048)
  await measure('attention at 2,048 positions', attention.bytes, attention.dispatches, 1)
  attention.destroy()
  return speeds
}

const rowsAt = (count: number, position: number) =>
  Array.from({ length: count }, () => ({ token: 0, position, sequenceSlot: 0 }))

async function readOnlySpeed(gpu: Gpu, { matrixBytes, minSeconds }: KernelSpeedOptions): Promise<number> {
  const words = createStorageBuffer(gpu, 'check.words', matrixBytes)
  const result = createStorageBuffer(gpu, 'check.result', 4)
  const numVectors = words.size / 16
  const numWorkgroups = gpu.isSoftware ? 64 : 4096
  const dispatch = await prepareDispatch(
    gpu,
    { label: 'read_only', code: readOnlyWgsl, constants: { numVectors, numThreads: numWorkgroups * 64 } },
    [reads(words), writes(result)],
    () => [numWorkgroups, 1, 1],
  )
  const seconds = await secondsOf(gpu, [dispatch], 1, minSeconds)
  words.destroy()
  result.destroy()
  return matrixBytes / seconds / 1e9
}

function emptyMatrix(
  gpu: Gpu,
  layout: DeviceLayout,
  matrixBytes: number,
): { matrix: WeightMatrix; bytes: number } {
  const ofRow = planeBytes(layout, 1, numColumns)
  const rowBytes = ofRow.quants + ofRow.scales
  const numRows = Math.max(1, Math.floor(matrixBytes / rowBytes))
  const bytes = planeBytes(layout, numRows, numColumns)
  return {
    matrix: {
      layout,
      numRows,
      numColumns,
      quants: createStorageBuffer(gpu, 'check.quants', bytes.quants),
      scales: createStorageBuffer(gpu, 'check.scales', bytes.scales),
    },
    bytes: numRows * rowBytes,
  }
}

/** One token of a model with 32 heads on 8, at the end of a sequence. */
async function attentionOver(gpu: Gpu, numPositions: number) {
  const shape = { numHeads: 32, numKvHeads: 8, headDim: 64, scale: 1 / 8 }
  const numPages = Math.ceil(numPositions / kvPageTokens)
  const kv = () => createStorageBuffer(gpu, 'check.kv', kvPageBytes(shape) * numPages)
  const buffers = {
    parts: createStorageBuffer(gpu, 'check.parts', attentionPartsBytes(shape, 1)),
    qkv: createStorageBuffer(gpu, 'check.qkv', (32 + 2 * 8) * 64 * 4),
    keys: kv(),
    values: kv(),
    pageTable: createStorageBuffer(gpu, 'check.pages', numPages * 4),
    output: createStorageBuffer(gpu, 'check.attended', 32 * 64 * 4),
  }
  writeBuffer(
    gpu,
    buffers.pageTable,
    0,
    Uint32Array.from({ length: numPages }, (_, page) => page),
  )
  const batch = createBatchBuffers(gpu, 'check.attention', 1)
  writeBatch(gpu, batch, rowsAt(1, numPositions - 1))
  const dispatches = await prepareAttentionDecode(gpu, {
    ...buffers,
    maxPagesPerSequence: numPages,
    batch,
    shape,
  })
  return {
    dispatches,
    bytes: 2 * numPositions * shape.numKvHeads * shape.headDim * 4,
    destroy() {
      for (const buffer of [...Object.values(buffers), batch.count, batch.rows]) buffer.destroy()
    },
  }
}

/** Of one run, out of as many in one submit as take `minSeconds`; the fastest of three. */
async function secondsOf(
  gpu: Gpu,
  dispatches: readonly Dispatch[],
  batchRows: number,
  minSeconds: number,
): Promise<number> {
  const run = async (repeats: number) => {
    const start = performance.now()
    const encoder = gpu.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (let i = 0; i < repeats; i++) {
      for (const dispatch of dispatches) encodeDispatch(gpu, pass, dispatch, batchRows)
    }
    pass.end()
    submit(gpu, encoder.finish())
    await gpu.device.queue.onSubmittedWorkDone()
    return (performance.now() - start) / 1000
  }
  await run(1)
  const once = await run(1)
  const repeats = Math.max(1, Math.min(1000, Math.ceil(minSeconds / once)))
  let fastest = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) fastest = Math.min(fastest, (await run(repeats)) / repeats)
  return fastest
}
