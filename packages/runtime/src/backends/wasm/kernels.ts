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

/**
 * What it gives where there is an instruction for four products: weights as they are (AVX-VNNI), or their bytes with a sign (AVX-VNNI-INT8,
 * and ARM's `sdot`). Pieced together of several, it saturates at 16 bits.
 */
const instructionProbes: ReadonlySet<number> = new Set([exactProbe, 127 * -1 * 4])

/**
 * The kernels that are fastest here; only they are loaded. Relaxed ones multiply bytes: where the machine has no instruction for that,
 * plain ones, which multiply pairs of halves, take a fifth to two thirds of the time (assembly/linear_pairs.ts).
 * @throws BrasaError `unsupported_operator`
 */
export async function compileKernels(featureSet: FeatureSet = fastestHere()): Promise<KernelModule> {
  const { base64 } =
    featureSet === 'relaxed'
      ? await import('../../../assembly/index.ts?wasm=relaxed')
      : await import('../../../assembly/index.ts?wasm=plain')
  const bytes = bytesOf(base64)
  if (WebAssembly.validate(bytes)) return { featureSet, bytes }
  throw new BrasaError('unsupported_operator', {
    message: `This browser has no WebAssembly SIMD${featureSet === 'relaxed' ? ', or not the relaxed one' : ''}. Use a current browser.`,
  })
}

function fastestHere(): FeatureSet {
  if (!WebAssembly.validate(probeModule)) return 'plain'
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(probeModule))
  return instructionProbes.has((exports as { p(): number }).p()) ? 'relaxed' : 'plain'
}

const repeated = (byte: number) => new Array<number>(16).fill(byte)
/** `v128.const`, 16 bytes of it. */
const constant = [0xfd, 0x0c]

/** `probeDot` by itself: p(): i32. */
const probeModule = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // One type, () -> i32; one function of it, exported.
  ...[1, 5, 1, 0x60, 0, 1, 0x7f],
  ...[3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x70, 0, 0],
  ...[10, 64, 1, 62, 0],
  ...[...constant, ...repeated(127), ...constant, ...repeated(255), ...constant, ...repeated(0)],
  // i32x4.relaxed_dot_i8x16_i7x16_add_s, i32x4.extract_lane 0, end.
  ...[0xfd, 0x93, 0x02, 0xfd, 0x1b, 0, 0x0b],
)

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
