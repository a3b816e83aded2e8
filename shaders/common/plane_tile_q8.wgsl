// Decoded q8 weights, in steps of eight columns, two words (layout: packages/runtime/src/backends/webgpu/device-planes.ts).
//
// A byte is masked where it lies and its scale divided by the place's weight. The top byte of a word is signed as it is;
// the sign bits of the others are flipped and their minimum corrected. Put after common/scales_*.wgsl.
override groupSize: u32;
override stepsPerGroup = groupSize / 8u;

@group(0) @binding(0) var<storage, read> quants: array<vec2i>;

struct Scale {
  scale: vec4f,
  min: vec4f,
}

fn loadScale(row: u32, group: u32, groupsPerRow: u32) -> Scale {
  let scale = scaleAt(row, group, groupsPerRow);
  let lower = scale.y - 128 * scale.x;
  return Scale(scale.x * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24), vec4f(lower, lower, lower, scale.y));
}

alias Bits = vec2i;

fn loadBits(index: u32) -> Bits { return quants[index] ^ vec2i(0x808080); }

fn decodeWord(word: i32, scale: Scale) -> vec4f {
  return vec4f(vec4i(word) & vec4i(0xff, 0xff00, 0xff0000, -0x1000000)) * scale.scale + scale.min;
}

fn firstQuad(group: u32, step: u32) -> u32 { return (group * stepsPerGroup + step) * 2u; }

fn decodeFirst(bits: Bits, scale: Scale) -> vec4f { return decodeWord(bits.x, scale); }

fn secondQuad(group: u32, step: u32) -> u32 { return (group * stepsPerGroup + step) * 2u + 1u; }

fn decodeSecond(bits: Bits, scale: Scale) -> vec4f { return decodeWord(bits.y, scale); }
