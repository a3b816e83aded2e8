// Causal attention of many rows, whose own keys are in the pages already. A thread has rowsPerThread neighbouring rows, which
// share the loads of keys and values.
// output: (numRows, numHeads * headDim)
// Put after common/attend.wgsl. Dispatch: (ceil(numRows / rowsPerThread / 4), numKvHeads * headTiles, 1).
@group(0) @binding(6) var<storage, read_write> output: array<array<vec4f, quads>>;

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let firstRow = id.x * rowsPerThread;
  let tile = id.y;
  if (firstRow >= batch.numRows) { return; }
  attend(firstRow, tile, 0u, 1u);
  // Heads of an incomplete tile repeat its last one: they write the same bytes to the same place. So do rows past the last.
//! for r < rowsPerThread
//! for h < heads
  let head#r_#h = min(firstRow + #ru, batch.numRows - 1u) * numHeads + headOf(tile, #hu);
  for (var d = 0u; d < quads; d++) { output[head#r_#h][d] = sum#r_#h[d] / total#r_#h; }
//! end
//! end
}
