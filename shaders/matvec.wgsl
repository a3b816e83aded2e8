// y = W x for each row of the batch, without barriers: two runs of `runRows` rows of W a thread.
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns), y: (batch rows, numRows)
// With epilogue `glu`, W is gate rows over up rows and y = activate(gate x) * (up x): (batch rows, numRows / 2).
// common/epilogue.wgsl says what else becomes of W x.
// Dispatch: any (x, batch rows, z) with x * z * threads * 2 * runRows >= numRows.
// Put after one of common/plane_dot_*.wgsl, which declares W and x, and what kernels/epilogue.ts gives, and unrolled
// (kernels/unroll.ts): a thread's sums are variables first<row> and second<row>.
override numRows: u32;
override threads: u32;
override runRows: u32;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let batchRow = workgroup.y;
  let thread = (workgroup.z * grid.x + workgroup.x) * threads + lane;
  // Rows past the last are read from wherever the binding's bounds check leads, and not written.
  var first = thread * 2u * runRows;
  var second = first + runRows;
  var outputSize = numRows;
  if (epilogue == glu) {
    outputSize = numRows / 2u;
    first = thread * runRows;
    second = first + outputSize;
  }
  if (first >= outputSize) { return; }

  //! for r < runRows
  var first#r = 0f;
  var second#r = 0f;
  //! end
  for (var piece = 0u; piece < numColumns / pieceColumns; piece++) {
    let p = loadPiece(batchRow, piece);
    //! for r < runRows
    first#r += dotPiece(first + #r, piece, p);
    //! end
    //! for r < runRows
    second#r += dotPiece(second + #r, piece, p);
    //! end
  }

  //! for r < runRows
  if (epilogue == glu) {
    let gate#r = activate(biased(first + #r, first#r));
    write(batchRow, outputSize, first + #r, gate#r * biased(second + #r, second#r));
  } else {
    write(batchRow, outputSize, first + #r, finished(first + #r, first#r));
    write(batchRow, outputSize, second + #r, finished(second + #r, second#r));
  }
  //! end
}

fn write(batchRow: u32, outputSize: u32, row: u32, value: f32) {
  if (row >= outputSize) { return; }
  let i = batchRow * outputSize + row;
  if (epilogue == add) { y[i] += value; } else { y[i] = value; }
}
