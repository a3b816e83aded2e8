// y[r] = scale * the table's row of batch row r's token, left ready for the norm that reads it (common/pairs_add.wgsl).
// table: (vocabSize, hiddenSize) in planes, y: (batch rows, hiddenSize), gain: (hiddenSize)
// gained: (max rows, hiddenSize), then from gainedSquares on (max rows, gainedStride) squares, one a thread
// One thread a run of `run` components; dispatch: (ceil(hiddenSize / run / 4), batch rows, 1).
// Put after common/batch.wgsl and common/plane_weight.wgsl, which declares the table.
override scale: f32;
override run: u32;
override gainedSquares: u32;
override gainedStride: u32;

@group(0) @binding(2) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> gain: array<f32>;
@group(0) @binding(5) var<storage, read_write> gained: array<f32>;

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = id.x * run;
  if (first >= numColumns) { return; }
  var squares = 0f;
  for (var column = first; column < min(first + run, numColumns); column++) {
    let v = scale * weightAt(rows[id.y].token, column);
    y[id.y * numColumns + column] = v;
    gained[id.y * numColumns + column] = v * gain[column];
    squares += v * v;
  }
  gained[gainedSquares + id.y * gainedStride + id.x] = squares;
}
