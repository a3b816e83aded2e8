// Causal attention of many rows, whose own keys are in the pages already: a thread a row, so that lanes share keys in the data cache.
// output: (numRows, numHeads * headDim)
// Put after common/attend.wgsl. Dispatch: (ceil(numRows / 4), numKvHeads * headTiles, 1).
@group(0) @binding(6) var<storage, read_write> output: array<array<vec4f, quads>>;

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let rowIndex = id.x;
  let tile = id.y;
  if (rowIndex >= batch.numRows) { return; }
  attend(rowIndex, tile, 0u, 1u);
  // Heads of an incomplete tile repeat its last one: they write the same bytes to the same place.
//! for h < heads
  let head#h = rowIndex * numHeads + headOf(tile, #hu);
//! for d < quads
  output[head#h][#d] = sum#h_#d / total#h;
//! end
//! end
}
