// y = W x for each row of the batch, by teams of lanes that share four rows of W.
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns), y: (batch rows, numRows)
// With epilogue `glu`, W is gate rows over up rows and y = activate(gate x) * (up x): (batch rows, numRows / 2).
// common/epilogue.wgsl says what else becomes of W x.
// A workgroup is threads / teamLanes teams; a team's lanes take its rows' pieces in turn, so that neighbours read
// neighbouring 16 bytes, and one lane a row adds up what they found.
// Dispatch: any (x, batch rows, z) with x * z * teams * 4 >= numRows.
// Put after one of common/plane_dot_*.wgsl, which declares W and x, and what kernels/epilogue.ts gives.
override numRows: u32;
override threads: u32;
override teamLanes: u32;
const maxThreads = 64u;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<vec4f, maxThreads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let batchRow = workgroup.y;
  let team = thread / teamLanes;
  let lane = thread % teamLanes;
  let quad = (workgroup.z * grid.x + workgroup.x) * (threads / teamLanes) + team;

  // Rows past the last are read from wherever the binding's bounds check leads, and not written.
  var rows = quad * 4u + vec4u(0, 1, 2, 3);
  var outputSize = numRows;
  if (epilogue == glu) {
    outputSize = numRows / 2u;
    rows = quad * 2u + vec4u(0, 1, outputSize, outputSize + 1u);
  }

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
  workgroupBarrier();
  if (lane >= 4u) { return; }

  var value = 0f;
  var up = 0f;
  for (var i = 0u; i < teamLanes; i++) {
    let found = partial[team * teamLanes + i];
    value += found[lane];
    if (epilogue == glu) { up += found[(lane + 2u) % 4u]; }
  }
  let row = rows[lane];
  if (row >= outputSize) { return; }
  let i = batchRow * outputSize + row;
  if (epilogue == glu) {
    if (lane < 2u) { y[i] = activate(biased(row, value)) * biased(row + outputSize, up); }
  } else if (epilogue == add) {
    y[i] += finished(row, value);
  } else {
    y[i] = finished(row, value);
  }
}
