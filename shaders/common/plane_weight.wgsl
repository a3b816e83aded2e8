// One weight of a matrix in planes of any format, decoded the plain way (layout: packages/runtime/src/quant/planes.ts).
override format: u32;
override numColumns: u32;
override groupSize: u32;
override hasMin: bool;
const q4 = 0u;
const q8 = 1u;
const f16Format = 2u;

@group(0) @binding(0) var<storage, read> quants: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

fn weightAt(row: u32, column: u32) -> f32 {
  let index = row * numColumns + column;
  if (format == q4) {
    let group = index / 32u;
    let place = index % 16u;
    let word = quants[group * 4u + place / 4u];
    let nibble = (word >> (8u * (place % 4u) + select(0u, 4u, index % 32u >= 16u))) & 15u;
    return scales[group * 2u] * f32(nibble) + scales[group * 2u + 1u];
  }
  if (format == q8) {
    let group = index / groupSize;
    let byte = extractBits(i32(quants[index / 4u]), 8u * (index % 4u), 8u);
    if (hasMin) { return scales[group * 2u] * f32(byte) + scales[group * 2u + 1u]; }
    return scales[group] * f32(byte);
  }
  if (format == f16Format) { return unpack2x16float(quants[index / 2u])[index % 2u]; }
  return bitcast<f32>(quants[index]);
}
