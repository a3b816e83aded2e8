// Decoded q4 weights, in steps of eight columns (layout: packages/runtime/src/backends/webgpu/device-planes.ts): step s of a group is word s,
// whose low nibbles are columns 4s.. and whose high ones columns 16 + 4s.. of the group.
//
// A nibble is masked where it lies and its scale divided by the place's weight. The top nibble's sign bit is flipped, and
// its minimum corrected, so that it converts as a signed number. Put after common/scales_*.wgsl.
const stepsPerGroup = 4u;

@group(0) @binding(0) var<storage, read> quants: array<i32>;

struct Scale {
  low: vec4f,
  high: vec4f,
  min: f32,
  highMin: vec4f,
}

fn loadScale(row: u32, group: u32, groupsPerRow: u32) -> Scale {
  let scale = scaleAt(row, group, groupsPerRow);
  return Scale(
    scale.x * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24),
    scale.x * vec4f(0x1p-4, 0x1p-12, 0x1p-20, 0x1p-28),
    scale.y,
    vec4f(scale.y, scale.y, scale.y, scale.y + 8 * scale.x),
  );
}

alias Bits = i32;

fn loadBits(index: u32) -> Bits { return quants[index]; }

fn firstQuad(group: u32, step: u32) -> u32 { return group * 8u + step; }

fn decodeFirst(bits: Bits, scale: Scale) -> vec4f {
  return vec4f(vec4i(bits) & vec4i(0xf, 0xf00, 0xf0000, 0xf000000)) * scale.low + scale.min;
}

fn secondQuad(group: u32, step: u32) -> u32 { return group * 8u + step + 4u; }

fn decodeSecond(bits: Bits, scale: Scale) -> vec4f {
  let flipped = bits ^ (-0x7fffffff - 1);
  return vec4f(vec4i(flipped) & vec4i(0xf0, 0xf000, 0xf00000, -0x10000000)) * scale.high + scale.highMin;
}
