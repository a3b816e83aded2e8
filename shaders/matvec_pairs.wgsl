// y = factor * W x for each row of the batch, without barriers: `runPairs` pairs of rows of W a thread. A pair is two rows whose
// sums meet: neighbours, gate and up, or two components that RoPE turns together.
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns); common/pairs_*.wgsl say which rows are a pair and where its sums
// go, common/normed_input.wgsl what the factor is.
// Dispatch: any (x, batch rows, z) with x * z * threads * runPairs >= numPairs.
// Put after common/plane_dot_*.wgsl and common/plane_quad_*.wgsl (or kernels/matvec-pairs.ts's stand-in), and unrolled.
override threads: u32;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let batchRow = workgroup.y;
  let thread = (workgroup.z * grid.x + workgroup.x) * threads + lane;
  let firstPair = thread * runPairs;
  // Lanes past the last pair go along, since the others take activations from them; what they read is of no account.
  //! for p < runPairs
  let rows#p = rowsOfPair(firstPair + #pu);
  var sums#p = vec2f();
  //! end
  for (var piece = 0u; piece < numColumns / pieceColumns; piece++) {
    let p = loadSharedPiece(batchRow, piece, lane);
    //! for p < runPairs
    sums#p += vec2f(dotPiece(rows#p.x, piece, p), dotPiece(rows#p.y, piece, p));
    //! end
  }
  let factor = inputFactor(sharedSum(partialSquares(batchRow, sharedLane(lane), sharingLanes)));

  var squares = 0f;
  //! for p < runPairs
  if (firstPair + #pu < numPairs()) { squares += finishPair(batchRow, rows#p, factor * sums#p); }
  //! end
  if (firstPair < numPairs()) { leaveSquares(batchRow, thread, squares); }
}
