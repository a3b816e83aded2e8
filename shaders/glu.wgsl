// y = activate(gate) * up, where a row of gateUp is its gate values and then its up values. Shazeer 2020.
// gateUp: (batch rows, 2 * intermediateSize), y: (batch rows, intermediateSize)
// One thread a value; dispatch: (ceil(intermediateSize / 64), batch rows, 1).
// Put after common/silu.wgsl or common/gelu_tanh.wgsl, which declare `activate`.
override intermediateSize: u32;

@group(0) @binding(0) var<storage, read> gateUp: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= intermediateSize) { return; }
  let gate = id.y * 2u * intermediateSize + id.x;
  y[id.y * intermediateSize + id.x] = activate(gateUp[gate]) * gateUp[gate + intermediateSize];
}
