// Causal attention of single rows, first half, for subgroups of four lanes: the keys are dealt out to numSplits quads, and each leaves
// its part. Scores: a lane takes every fourth key. Values: a lane takes every fourth quad of components, of all keys, so that a
// load of four lanes is 64 neighbouring bytes and the sums fit into few registers. Online softmax (Milakov & Gimelshein 2018)
// over tiles of 4 * tileSteps keys.
// parts: (numRows, numHeads, numSplits, headDim + 4): weighted values, then greatest score, total of weights, 0, 0
// Lines between `//! for` and `//! end` are repeated by kernels/unroll.ts. `heads` (1 to 4) query heads share a KV head, `quads`
// is headDim / 4, `laneQuads` headDim / 16, `lanes` 4. Put after common/soft_cap.wgsl and common/window.wgsl.
// Dispatch: (numSplits, numKvHeads * headTiles, numRows). attention_merge.wgsl is the other half.
override numHeads: u32;
override scale: f32;
override headTiles: u32;
override numSplits: u32;
const tileKeys = 4u * tileSteps;
const lowest = -0x1.fffffep+127f;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> keys: array<vec4f>;
@group(0) @binding(4) var<storage, read> values: array<vec4f>;
@group(0) @binding(5) var<storage, read> pageTable: array<u32>;
@group(0) @binding(6) var<storage, read_write> parts: array<vec4f>;

// Head `h` of a tile; tiles cut each group of numHeads / numKvHeads heads into headTiles parts.
fn headOf(tile: u32, h: u32) -> u32 {
  let group = numHeads / numKvHeads;
  return tile / headTiles * group + min(tile % headTiles * heads + h, group - 1u);
}

fn quadMax(v: f32) -> f32 {
  let pair = max(v, quadSwapX(v));
  return max(pair, quadSwapY(pair));
}

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let split = group.x;
  let tile = group.y;
  let rowIndex = group.z;
  if (rowIndex >= batch.numRows) { return; }
  let row = rows[rowIndex];
  let kvHead = tile / headTiles;
  let numPositions = row.position + 1u;
//! for h < heads
  let head#h = (rowIndex * (numHeads + 2u * numKvHeads) + headOf(tile, #hu)) * quads;
  var query#h: array<vec4f, quads>;
  for (var d = 0u; d < quads; d++) { query#h[d] = qkv[head#h + d] * scale; }
  var greatest#h = lowest;
  var total#h = 0f;
//! for d < laneQuads
  var sum#h_#d = vec4f();
//! end
//! end

  for (var start = firstVisible(numPositions) + split * tileKeys; start < numPositions; start += numSplits * tileKeys) {
    var scores: array<vec4f, tileSteps>;
    var firstValues: array<u32, tileSteps>;
//! for h < heads
    var newGreatest#h = greatest#h;
//! end
    let numSteps = min(tileSteps, (numPositions - start + 3u) / 4u);
    for (var step = 0u; step < numSteps; step++) {
      let wanted = start + step * 4u + lane;
      let position = min(wanted, numPositions - 1u);
      let page = pageTable[pageTableIndex(row.sequenceSlot, position)];
      let firstKey = keyQuad(page, kvHead, quads, position, 0u);
//! for h < heads
      var product#h = 0f;
//! end
//! for d < quads
      let key#d = keys[firstKey + #du * kvPageTokens];
//! for h < heads
      product#h += dot(query#h[#d], key#d);
//! end
//! end
      var score: vec4f;
//! for h < heads
      score[#h] = select(lowest, capped(product#h), wanted < numPositions);
      newGreatest#h = max(newGreatest#h, score[#h]);
//! end
      scores[step] = score;
      firstValues[step] = valueQuad(page, kvHead, quads, position, 0u);
    }

//! for h < heads
    newGreatest#h = quadMax(newGreatest#h);
    let correction#h = exp(greatest#h - newGreatest#h);
    greatest#h = newGreatest#h;
    total#h *= correction#h;
//! for d < laneQuads
    sum#h_#d *= correction#h;
//! end
//! end
    for (var step = 0u; step < numSteps; step++) {
//! for k < lanes
      let value#k = quadBroadcast(firstValues[step], #ku) + lane;
//! end
//! for h < heads
      let weight#h = exp(scores[step][#h] - greatest#h);
      total#h += weight#h;
//! for k < lanes
      let weight#h_#k = quadBroadcast(weight#h, #ku);
//! end
//! end
//! for d < laneQuads
//! for k < lanes
      let v#d_#k = values[value#k + 4u * #du];
//! end
//! for h < heads
      sum#h_#d += (weight#h_0 * v#d_0 + weight#h_1 * v#d_1) + (weight#h_2 * v#d_2 + weight#h_3 * v#d_3);
//! end
//! end
    }
  }

  // Heads of an incomplete tile repeat its last one: they write the same bytes to the same place.
//! for h < heads
  let part#h = ((rowIndex * numHeads + headOf(tile, #hu)) * numSplits + split) * (quads + 1u);
//! for d < laneQuads
  parts[part#h + 4u * #du + lane] = sum#h_#d;
//! end
  let pair#h = total#h + quadSwapX(total#h);
  let all#h = pair#h + quadSwapY(pair#h);
  if (lane == 0u) { parts[part#h + quads] = vec4f(greatest#h, all#h, 0, 0); }
//! end
}
