// Decoded q8 weights, eight columns at a time (layout: packages/runtime/src/quant/planes.ts): step s of a group is two words.
// A byte is masked where it lies and its scale divided by the place's weight; the top byte of a word is signed as it is,
// the sign bits of the others are flipped and the minimum corrected.
override numColumns: u32;
override groupSize: u32;
override hasMin: bool;
override stepsPerGroup = groupSize / 8u;

@group(0) @binding(0) var<storage, read> quants: array<vec2i>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

struct Scale {
  scale: vec4f,
  min: vec4f,
}

struct Weights {
  first: vec4f,
  second: vec4f,
}

fn loadScale(row: u32, group: u32) -> Scale {
  let index = row * (numColumns / groupSize) + group;
  var scale = 0f;
  var min = 0f;
  if (hasMin) {
    scale = scales[index * 2u];
    min = scales[index * 2u + 1u];
  } else {
    scale = scales[index];
  }
  return Scale(scale * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24), min - scale * vec4f(128, 128, 128, 0));
}

const byteMask = vec4i(0xff, 0xff00, 0xff0000, -0x1000000);

fn loadWeights(row: u32, group: u32, step: u32, scale: Scale) -> Weights {
  let q = quants[row * (numColumns / 8u) + group * stepsPerGroup + step] ^ vec2i(0x808080);
  return Weights(
    vec4f(vec4i(q.x) & byteMask) * scale.scale + scale.min,
    vec4f(vec4i(q.y) & byteMask) * scale.scale + scale.min,
  );
}

fn firstColumns(group: u32, step: u32) -> u32 { return (group * stepsPerGroup + step) * 2u; }
fn secondColumns(group: u32, step: u32) -> u32 { return (group * stepsPerGroup + step) * 2u + 1u; }
