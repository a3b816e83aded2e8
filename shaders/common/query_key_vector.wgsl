// The vectors of a row of queries, keys and values that head_norm.wgsl and head_norm_serial.wgsl normalise: queryCount of
// querySize components, then keyCount of keySize, which start at keyOffset. A count of 0 leaves queries or keys as they are.
override rowSize: u32;
override queryCount: u32;
override querySize: u32;
override queryEpsilon: f32;
override keyOffset: u32;
override keyCount: u32;
override keySize: u32;
override keyEpsilon: f32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> queryGain: array<f32>;
@group(0) @binding(3) var<storage, read> keyGain: array<f32>;

struct Vector {
  isQuery: bool,
  start: u32,
  size: u32,
  epsilon: f32,
}

fn vectorAt(batchRow: u32, index: u32) -> Vector {
  let start = batchRow * rowSize;
  if (index < queryCount) { return Vector(true, start + index * querySize, querySize, queryEpsilon); }
  return Vector(false, start + keyOffset + (index - queryCount) * keySize, keySize, keyEpsilon);
}

fn gainAt(v: Vector, i: u32) -> f32 {
  if (v.isQuery) { return queryGain[i]; }
  return keyGain[i];
}
