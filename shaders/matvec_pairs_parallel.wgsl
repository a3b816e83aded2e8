// y = factor * W x for each row of the batch, by teams of lanes that share two pairs of rows of W; matvec_pairs.wgsl says what a
// pair is.
// A workgroup is threads / teamLanes teams; a team's lanes take its rows' pieces in turn, so that neighbours read neighbouring
// 16 bytes, and two of them finish a pair each with what all found.
// Dispatch: any (x, batch rows, z) with x * z * teams * 2 >= numPairs.
// Put after one of common/plane_dot_*.wgsl.
override threads: u32;
override teamLanes: u32;
const maxThreads = 64u;

var<workgroup> partial: array<vec4f, maxThreads>;
var<workgroup> squaresOf: array<f32, maxThreads>;
var<workgroup> written: array<f32, maxThreads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let batchRow = workgroup.y;
  let lane = thread % teamLanes;
  let index = workgroup.z * grid.x + workgroup.x;
  let firstPair = (index * (threads / teamLanes) + thread / teamLanes) * 2u;
  // Rows past the last are read from wherever the binding's bounds check leads, and not written.
  let rows = vec4u(rowsOfPair(firstPair), rowsOfPair(firstPair + 1u));
  var sums = vec4f();
  for (var piece = lane; piece < numColumns / pieceColumns; piece += teamLanes) {
    let p = loadPiece(batchRow, piece);
    sums += vec4f(
      dotPiece(rows.x, piece, p),
      dotPiece(rows.y, piece, p),
      dotPiece(rows.z, piece, p),
      dotPiece(rows.w, piece, p),
    );
  }
  partial[thread] = sums;
  squaresOf[thread] = partialSquares(batchRow, thread, threads);
  workgroupBarrier();

  let pair = firstPair + lane;
  var squares = 0f;
  if (lane < 2u && pair < numPairs()) {
    var total = 0f;
    for (var i = 0u; i < threads; i++) { total += squaresOf[i]; }
    var found = vec4f();
    for (var i = 0u; i < teamLanes; i++) { found += partial[thread - lane + i]; }
    squares = finishPair(batchRow, rowsOfPair(pair), inputFactor(total) * select(found.xy, found.zw, lane == 1u));
  }
  written[thread] = squares;
  workgroupBarrier();
  if (thread > 0u) { return; }
  for (var i = 1u; i < threads; i++) { squares += written[i]; }
  leaveSquares(batchRow, index, squares);
}
