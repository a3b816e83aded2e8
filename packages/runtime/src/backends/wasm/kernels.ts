import { BrasaError } from '../../errors.ts'

/** What packages/runtime/assembly exports. Pointers are byte addresses in the shared memory. */
export interface Kernels {
  /** Runs `numOps` ops at `ops` with whoever helps. */
  run(board: number, ops: number, numOps: number): void
  /** Takes chunks of ops until `stop`. */
  help(board: number, patience: number, hesitation: number): void
  stop(board: number): void
  /** Bytes that an instance computes with in between; `mostColumns` of any matrix. */
  scratchBytes(mostColumns: number): number
  useScratch(address: number): void
  probeDot(): number
  /** Writes blocks of one row of a tensor to a lane of a tile; 0 where its format does not hold their scales. */
  repackRow(
    encoding: number,
    format: number,
    source: number,
    numBlocks: number,
    tile: number,
    lane: number,
  ): number
  /** Copies logits, minus infinity where a token's bit in `mask` is 0: of token t, bit t & 31 of word t >> 5. */
  maskLogits(logits: number, mask: number, to: number, count: number): void
  argmax(logits: number, count: number): number
  scaleLogits(logits: number, count: number, scale: number, cap: number): void
  penalise(
    logits: number,
    seen: number,
    numSeen: number,
    repetition: number,
    frequency: number,
    presence: number,
  ): void
  draw(
    scores: number,
    count: number,
    topK: number,
    topP: number,
    lowest: number,
    base: number,
    scratch: number,
  ): number
  drawScratchBytes(count: number): number
}

/** What `probeDot` gives where weights above 127 are taken as they are. */
export const exactProbe = 127 * 255 * 4

export type FeatureSet = 'relaxed' | 'plain'

/** What it gives where products of bytes are pieced together of instructions that saturate. */
const piecedProbe = 2 * 32767

/**
 * The kernels that are fastest here. Relaxed ones multiply bytes: where the machine has no instruction for that, plain ones, which
 * multiply pairs of halves, take a fifth to two thirds of the time (assembly/linear_pairs.ts).
 * @throws BrasaError `unsupported_operator`
 */
export async function compileKernels(featureSet?: FeatureSet): Promise<KernelModule> {
  if (featureSet !== 'plain') {
    const { base64 } = await import('../../../assembly/index.ts?wasm=relaxed')
    const bytes = bytesOf(base64)
    if (WebAssembly.validate(bytes)) {
      multipliesBytes ??= probe(bytes)
      if (featureSet === 'relaxed' || (await multipliesBytes)) return { featureSet: 'relaxed', bytes }
    }
  }
  const { base64 } = await import('../../../assembly/index.ts?wasm=plain')
  const bytes = bytesOf(base64)
  if (WebAssembly.validate(bytes)) return { featureSet: 'plain', bytes }
  throw new BrasaError('unsupported_operator', {
    message: 'This browser has no WebAssembly SIMD. Use a current browser.',
  })
}

/** Of this machine: it does not change. */
let multipliesBytes: Promise<boolean> | undefined

async function probe(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const kernels = await startKernels({ featureSet: 'relaxed', bytes }, memory, false)
  return kernels.probeDot() !== piecedProbe
}

export interface KernelModule {
  readonly featureSet: FeatureSet
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** An instance for the calling thread. */
export async function startKernels(
  { bytes }: KernelModule,
  memory: WebAssembly.Memory,
  isShared: boolean,
): Promise<Kernels> {
  const module = isShared ? bytes : withUnsharedMemory(bytes)
  const { instance } = await WebAssembly.instantiate(module, { env: { memory } })
  return instance.exports as unknown as Kernels
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
}

/** Limits of an imported memory: bit 0 says that there is a maximum, bit 1 that it is shared. */
const sharedLimits = 3
const unsharedLimits = 1

/**
 * The same code for a memory of one thread, which a page that is not cross-origin isolated has: only the import's own word
 * for its memory differs, and atomics work on both.
 */
function withUnsharedMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const name = [...'memory'].map((char) => char.charCodeAt(0))
  const memoryImport = 2
  for (let at = 0; at < bytes.length - name.length - 2; at++) {
    const isImport =
      name.every((code, i) => bytes[at + i] === code) &&
      bytes[at + name.length] === memoryImport &&
      bytes[at + name.length + 1] === sharedLimits
    if (!isImport) continue
    const copy = bytes.slice()
    copy[at + name.length + 1] = unsharedLimits
    return copy
  }
  throw new BrasaError('internal', { message: 'The WASM kernels import no shared memory.' })
}
