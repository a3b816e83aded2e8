// y[r] = scale * the table's row of batch row r's token.
// table: (vocabSize, hiddenSize) in planes, y: (batch rows, hiddenSize)
// One thread a component; dispatch: (ceil(hiddenSize / 64), batch rows, 1).
// Put after common/batch.wgsl and common/plane_weight.wgsl, which declares the table.
override scale: f32;

@group(0) @binding(2) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  if (column >= numColumns) { return; }
  y[id.y * numColumns + column] = scale * weightAt(rows[id.y].token, column);
}
