// f16 weights, two a word, eight columns at a time: a group is one step. Rows are a multiple of 8 wide.
override numColumns: u32;
const stepsPerGroup = 1u;

@group(0) @binding(0) var<storage, read> quants: array<vec4u>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

alias Scale = f32;

struct Weights {
  first: vec4f,
  second: vec4f,
}

fn loadScale(row: u32, group: u32) -> Scale { return 1; }

fn loadWeights(row: u32, group: u32, step: u32, scale: Scale) -> Weights {
  let words = quants[row * (numColumns / 8u) + group];
  return Weights(
    vec4f(unpack2x16float(words.x), unpack2x16float(words.y)),
    vec4f(unpack2x16float(words.z), unpack2x16float(words.w)),
  );
}

fn firstColumns(group: u32, step: u32) -> u32 { return group * 2u; }
fn secondColumns(group: u32, step: u32) -> u32 { return group * 2u + 1u; }
