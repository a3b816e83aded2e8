// y = W x for each row of the batch, without barriers: eight rows of W a thread.
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns), y: (batch rows, numRows)
// With epilogue `siluMul`, W is gate rows over up rows and y = silu(gate x) * (up x): (batch rows, numRows / 2).
// Dispatch: any (x, batch rows, z) with x * z * threads * 8 >= numRows.
// Put after common/silu.wgsl and one of common/plane_dot_*.wgsl, which declares W and x.
override numRows: u32;
override epilogue: u32;
override threads: u32;
const add = 1u;
const siluMul = 2u;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let batchRow = workgroup.y;
  let thread = (workgroup.z * grid.x + workgroup.x) * threads + lane;
  // Two runs of four rows. Rows past the last are read from wherever the binding's bounds check leads, and not written.
  var first = thread * 8u;
  var second = first + 4u;
  var outputSize = numRows;
  if (epilogue == siluMul) {
    outputSize = numRows / 2u;
    first = thread * 4u;
    second = first + outputSize;
  }
  if (first >= outputSize) { return; }

  var firstSums = vec4f();
  var secondSums = vec4f();
  for (var piece = 0u; piece < numColumns / pieceColumns; piece++) {
    let p = loadPiece(batchRow, piece);
    firstSums += vec4f(
      dotPiece(first, piece, p),
      dotPiece(first + 1u, piece, p),
      dotPiece(first + 2u, piece, p),
      dotPiece(first + 3u, piece, p),
    );
    secondSums += vec4f(
      dotPiece(second, piece, p),
      dotPiece(second + 1u, piece, p),
      dotPiece(second + 2u, piece, p),
      dotPiece(second + 3u, piece, p),
    );
  }

  if (epilogue == siluMul) {
    write4(batchRow, outputSize, first, silu(firstSums) * secondSums);
  } else {
    write4(batchRow, outputSize, first, firstSums);
    write4(batchRow, outputSize, second, secondSums);
  }
}

fn write4(batchRow: u32, outputSize: u32, row: u32, values: vec4f) {
  write(batchRow, outputSize, row, values.x);
  write(batchRow, outputSize, row + 1u, values.y);
  write(batchRow, outputSize, row + 2u, values.z);
  write(batchRow, outputSize, row + 3u, values.w);
}

fn write(batchRow: u32, outputSize: u32, row: u32, value: f32) {
  if (row >= outputSize) { return; }
  let i = batchRow * outputSize + row;
  if (epilogue == add) { y[i] += value; } else { y[i] = value; }
}
