import type { GgmlType } from '../../formats/ggml-types.ts'
import { blockFormats, promoteToQ8, repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import { f16Table } from '../../quant/f16.ts'
import type { PlaneFormat, Planes } from '../../quant/planes.ts'
import { type DeviceLayout, deviceLayouts, wordsPerRow } from './device-planes.ts'

/** Whole rows of a matrix as device-planes.ts lays them out. */
export interface DevicePlanes {
  readonly quants: Uint32Array<ArrayBuffer>
  readonly scales: Uint32Array<ArrayBuffer>
}

/**
 * Repacks `numRows` rows of a file to `layout`: its type's own, or one that `commonLayout` gave for it and others.
 * @throws BrasaError `internal` unless `bytes` is whole blocks
 */
export function repackRows(
  type: GgmlType,
  bytes: Uint8Array,
  numRows: number,
  layout: DeviceLayout = deviceLayouts[type],
): DevicePlanes {
  const planes = repack(type, bytes)
  const { blockSize, blockBytes } = blockFormats[type]
  const numColumns = ((bytes.byteLength / blockBytes) * blockSize) / numRows
  const words = wordsPerRow(layout, numColumns)
  const { format, groupSize } = layout
  if (layout.scales === 'none' || layout.scales === 'f32' || layout.scales === 'f32_min') {
    const target = { format: format as PlaneFormat, groupSize, hasMin: layout.scales === 'f32_min' }
    return wordsOf(convertPlanes(planes, target, numRows * numColumns))
  }
  const scales = new Uint32Array(words.scales * numRows)
  switch (layout.scales) {
    case 'f16':
      copyHalves(bytes, blockBytes, numRows, scales)
      break
    case 'f16_min':
      copyFirstWords(bytes, blockBytes, 1, scales)
      break
    case 'k':
      copyFirstWords(bytes, blockBytes, 4, scales)
      break
    case 'bytes':
      copyQ6Scales(bytes, scales)
      break
  }
  return { quants: quantsIn(layout, type, planes), scales }
}

const wordsOf = ({ quants, scales }: Planes): DevicePlanes => ({
  quants,
  scales: new Uint32Array(scales.buffer),
})

function quantsIn({ format }: DeviceLayout, type: GgmlType, planes: Planes): Uint32Array<ArrayBuffer> {
  if (format === 'q5') {
    const bytes = planes.layout.format === 'q4' ? promoteToQ8(planes).quants : planes.quants
    return narrowToQ5(bytes, type === 'Q5_0' ? 0x1010_1010 : 0)
  }
  if (format === 'q6') return narrowToQ6(planes.quants)
  if (format === planes.layout.format) return planes.quants
  // Q4_0 beside Q5_0 or Q8_0: bytes with a sign.
  const bytes = new Int8Array(promoteToQ8(planes).quants.buffer)
  for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i]! - deviceLayouts[type].zero
  return new Uint32Array(bytes.buffer)
}

/** The first half-word of every block. */
function copyHalves(bytes: Uint8Array, blockBytes: number, numRows: number, scales: Uint32Array): void {
  const halves = new Uint16Array(scales.buffer)
  const groupsPerRow = bytes.byteLength / blockBytes / numRows
  const halvesPerRow = halves.length / numRows
  for (let row = 0, at = 0; row < numRows; row++) {
    for (let group = 0; group < groupsPerRow; group++, at += blockBytes) {
      halves[row * halvesPerRow + group] = bytes[at]! | (bytes[at + 1]! << 8)
    }
  }
}

/** The first words of every block. */
function copyFirstWords(bytes: Uint8Array, blockBytes: number, words: number, scales: Uint32Array): void {
  const to = new Uint8Array(scales.buffer)
  const size = words * 4
  for (let block = 0; block * blockBytes < bytes.byteLength; block++) {
    for (let i = 0; i < size; i++) to[block * size + i] = bytes[block * blockBytes + i]!
  }
}

/** As `bytes`: 16 signed bytes and a half stand at the end of a Q6_K block. */
function copyQ6Scales(bytes: Uint8Array, scales: Uint32Array): void {
  const to = new Uint8Array(scales.buffer)
  const units = new Float32Array(scales.buffer)
  const halves = f16Table()
  for (let block = 0; block * 210 < bytes.byteLength; block++) {
    const from = block * 210 + 192
    units[block * 5] = halves[bytes[from + 16]! | (bytes[from + 17]! << 8)]!
    for (let i = 0; i < 16; i++) to[block * 20 + 4 + i] = bytes[from + i]!
  }
}

/** Eight words of bytes to five; `flipped` turns the sign of q - 16 back into a fifth bit. */
function narrowToQ5(bytes: Uint32Array, flipped: number): Uint32Array<ArrayBuffer> {
  const narrow = new Uint32Array((bytes.length / 8) * 5)
  for (let from = 0, to = 0; from < bytes.length; from += 8, to += 5) {
    let fifthBits = 0
    for (let j = 0; j < 4; j++) {
      const low = bytes[from + j]! ^ flipped
      const high = bytes[from + 4 + j]! ^ flipped
      narrow[to + j] = (low & 0x0f0f_0f0f) | ((high & 0x0f0f_0f0f) << 4)
      fifthBits |= (((low >>> 4) & 0x0101_0101) << j) | ((high & 0x1010_1010) << j)
    }
    narrow[to + 4] = fifthBits
  }
  return narrow
}

/** Eight words of bytes, q - 32, to six. */
function narrowToQ6(bytes: Uint32Array): Uint32Array<ArrayBuffer> {
  const narrow = new Uint32Array((bytes.length / 8) * 6)
  for (let from = 0, to = 0; from < bytes.length; from += 8, to += 6) {
    for (let j = 0; j < 4; j++) {
      const low = bytes[from + j]! ^ 0x2020_2020
      const high = bytes[from + 4 + j]! ^ 0x2020_2020
      narrow[to + j] = (low & 0x0f0f_0f0f) | ((high & 0x0f0f_0f0f) << 4)
      narrow[to + 4] = narrow[to + 4]! | (((low >>> 4) & 0x0303_0303) << (2 * j))
      narrow[to + 5] = narrow[to + 5]! | (((high >>> 4) & 0x0303_0303) << (2 * j))
    }
  }
  return narrow
}
