// Decoded q8 weights, in steps of eight columns, two words (layout: packages/runtime/src/quant/planes.ts).
//
// A byte is masked where it lies and its scale divided by the place's weight. The top byte of a word is signed as it is;
// the sign bits of the others are flipped and their minimum corrected.
override groupSize: u32;
override hasMin: bool;
override stepsPerGroup = groupSize / 8u;

@group(0) @binding(0) var<storage, read> quants: array<vec2i>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

struct Scale {
  scale: vec4f,
  min: vec4f,
}

fn loadScale(index: u32) -> Scale {
  var scale: f32;
  var min = 0f;
  if (hasMin) {
    scale = scales[index * 2u];
    min = scales[index * 2u + 1u];
  } else {
    scale = scales[index];
  }
  let lower = min - 128 * scale;
  return Scale(scale * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24), vec4f(lower, lower, lower, min));
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
