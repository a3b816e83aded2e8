// Decoded q4 weights, eight columns at a time (layout: packages/runtime/src/quant/planes.ts): step s of a group is word s,
// whose columns are 4s.. and 16 + 4s.. of the group. A nibble is masked where it lies and its scale divided by the place's
// weight; the top nibble's sign bit is flipped, and the minimum corrected, so that it converts as a signed number.
override numColumns: u32;
const stepsPerGroup = 4u;

@group(0) @binding(0) var<storage, read> quants: array<i32>;
@group(0) @binding(1) var<storage, read> scales: array<vec2f>;

struct Scale {
  low: vec4f,
  high: vec4f,
  min: f32,
  highMin: vec4f,
}

// Columns `first..first + 3` and `second..second + 3`, as vec4 indices into a row of x, and their weights.
struct Weights {
  first: vec4f,
  second: vec4f,
}

fn loadScale(row: u32, group: u32) -> Scale {
  let scale = scales[row * (numColumns / 32u) + group];
  return Scale(
    scale.x * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24),
    scale.x * vec4f(0x1p-4, 0x1p-12, 0x1p-20, 0x1p-28),
    scale.y,
    scale.y + scale.x * vec4f(0, 0, 0, 8),
  );
}

fn loadWeights(row: u32, group: u32, step: u32, scale: Scale) -> Weights {
  let q = quants[(row * (numColumns / 32u) + group) * 4u + step];
  return Weights(
    vec4f(vec4i(q) & vec4i(0xf, 0xf00, 0xf0000, 0xf000000)) * scale.low + scale.min,
    vec4f(vec4i(q ^ (-0x7fffffff - 1)) & vec4i(0xf0, 0xf000, 0xf00000, -0x10000000)) * scale.high + scale.highMin,
  );
}

fn firstColumns(group: u32, step: u32) -> u32 { return group * 8u + step; }
fn secondColumns(group: u32, step: u32) -> u32 { return group * 8u + step + 4u; }
