// Causal attention of single rows, first half: the keys are dealt out to numSplits threads, and each leaves its part.
// rowsPerThread is 1.
// parts: (numRows, numHeads, numSplits, headDim + 4): weighted values, then greatest score, total of weights, 0, 0
// Put after common/attend.wgsl. Dispatch: (numSplits / 4, numKvHeads * headTiles, numRows). attention_merge.wgsl is the other half.
override numSplits: u32;

@group(0) @binding(6) var<storage, read_write> parts: array<array<vec4f, quads + 1u>>;

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let split = id.x;
  let tile = id.y;
  let rowIndex = id.z;
  if (rowIndex >= batch.numRows || split >= numSplits) { return; }
  attend(rowIndex, tile, split, numSplits);
  // Heads of an incomplete tile repeat its last one: they write the same bytes to the same place.
//! for h < heads
  let part#h = (rowIndex * numHeads + headOf(tile, #hu)) * numSplits + split;
  for (var d = 0u; d < quads; d++) { parts[part#h][d] = sum0_#h[d]; }
  parts[part#h][quads] = vec4f(greatest0_#h, total0_#h, 0, 0);
//! end
}
