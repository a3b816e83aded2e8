// One weight of a matrix in planes of any format, decoded the plain way (layout:
// packages/runtime/src/backends/webgpu/device-planes.ts). Put after common/scales_*.wgsl.
override format: u32;
override numColumns: u32;
override groupSize: u32;
const q4 = 0u;
const q5 = 1u;
const q6 = 2u;
const q8 = 3u;
const f16Format = 4u;

@group(0) @binding(0) var<storage, read> quants: array<u32>;

fn weightAt(row: u32, column: u32) -> f32 {
  let index = row * numColumns + column;
  if (format == f16Format) { return unpack2x16float(quants[index / 2u])[index % 2u]; }
  if (format > f16Format) { return bitcast<f32>(quants[index]); }
  let scale = scaleAt(row, column / groupSize, numColumns / groupSize);
  if (format == q8) {
    return scale.x * f32(extractBits(i32(quants[index / 4u]), 8u * (index % 4u), 8u)) + scale.y;
  }
  let wordsPerGroup = 4u + format;
  let start = index / 32u * wordsPerGroup;
  let isHigh = index % 32u >= 16u;
  let word = index % 16u / 4u;
  let byte = 8u * (index % 4u);
  let nibble = extractBits(quants[start + word], byte + select(0u, 4u, isHigh), 4u);
  if (format == q4) { return scale.x * f32(nibble) + scale.y; }
  if (format == q5) {
    let fifth = extractBits(quants[start + 4u], byte + word + select(0u, 4u, isHigh), 1u);
    return scale.x * f32(nibble + 16u * fifth) + scale.y;
  }
  let upper = extractBits(quants[start + select(4u, 5u, isHigh)], byte + 2u * word, 2u);
  return scale.x * (f32(nibble + 16u * upper) - 32);
}
