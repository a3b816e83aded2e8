import { type BlockFormat, f16, u16, words16 } from './block-format.ts'

export const f32Block: BlockFormat = {
  plane: { format: 'f32', groupSize: 0, hasMin: false },
  decode(bytes, at, out) {
    out[0] = new DataView(bytes.buffer, bytes.byteOffset).getFloat32(at, true)
  },
  repack(bytes, numBlocks, quants) {
    new Uint8Array(quants.buffer, quants.byteOffset, numBlocks * 4).set(bytes.subarray(0, numBlocks * 4))
  },
}

export const f16Block: BlockFormat = {
  plane: { format: 'f16', groupSize: 0, hasMin: false },
  decode(bytes, at, out) {
    out[0] = f16(bytes, at)
  },
  repack(bytes, numBlocks, quants) {
    new Uint8Array(quants.buffer, quants.byteOffset, numBlocks * 2).set(bytes.subarray(0, numBlocks * 2))
  },
}

/** The upper half of an f32. */
export const bf16Block: BlockFormat = {
  plane: { format: 'f32', groupSize: 0, hasMin: false },
  decode(bytes, at, out) {
    out[0] = new Float32Array(Uint32Array.of(u16(bytes, at) << 16).buffer)[0]!
  },
  repack(bytes, numBlocks, quants) {
    const source = words16(bytes)
    for (let index = 0; index < numBlocks; index++) quants[index] = source[index]! << 16
  },
}
