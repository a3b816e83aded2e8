// f32 weights, eight columns at a time: a group is one step. Rows are a multiple of 8 wide.
override numColumns: u32;
const stepsPerGroup = 1u;

@group(0) @binding(0) var<storage, read> quants: array<vec4f>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

alias Scale = f32;

struct Weights {
  first: vec4f,
  second: vec4f,
}

fn loadScale(row: u32, group: u32) -> Scale { return 1; }

fn loadWeights(row: u32, group: u32, step: u32, scale: Scale) -> Weights {
  let start = (row * (numColumns / 8u) + group) * 2u;
  return Weights(quants[start], quants[start + 1u]);
}

fn firstColumns(group: u32, step: u32) -> u32 { return group * 2u; }
fn secondColumns(group: u32, step: u32) -> u32 { return group * 2u + 1u; }
