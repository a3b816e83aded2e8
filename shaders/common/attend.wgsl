// Causal attention of `heads` query heads that share one KV head, by one thread, with an online softmax (Milakov &
// Gimelshein 2018) over tiles of keys: no barriers, queries and sums in registers. Lanes take different keys (decode) or
// different rows (prefill). Lines between `//! for` and `//! end` are repeated by kernels/unroll.ts: an index that is not a
// constant would put the registers in memory. `heads` is 1 to 4, `quads` is headDim / 4.
override numHeads: u32;
override scale: f32;
override headTiles: u32;
const lowest = -0x1.fffffep+127f;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> qkv: array<array<vec4f, quads>>;
@group(0) @binding(3) var<storage, read> keys: array<array<array<vec4f, kvPageTokens>, quads>>;
@group(0) @binding(4) var<storage, read> values: array<array<array<vec4f, quads>, kvPageTokens>>;
@group(0) @binding(5) var<storage, read> pageTable: array<u32>;

//! for h < heads
var<private> greatest#h: f32;
var<private> total#h: f32;
//! for d < quads
var<private> sum#h_#d: vec4f;
//! end
//! end

// Head `h` of a tile; tiles cut each group of numHeads / numKvHeads heads into headTiles parts.
fn headOf(tile: u32, h: u32) -> u32 {
  let group = numHeads / numKvHeads;
  return tile / headTiles * group + min(tile % headTiles * heads + h, group - 1u);
}

// Attends to the positions first, first + stride, ... that are not after the row's own. Leaves, for each head, the greatest
// score, and relative to it the total of the weights and the sum of weighted values.
fn attend(rowIndex: u32, tile: u32, first: u32, stride: u32) {
  let row = rows[rowIndex];
  let kvHead = tile / headTiles;
  let numPositions = row.position + 1u;
//! for h < heads
  let query#h = rowIndex * (numHeads + 2u * numKvHeads) + headOf(tile, #hu);
//! for d < quads
  let query#h_#d = qkv[query#h][#d] * scale;
  sum#h_#d = vec4f();
//! end
  greatest#h = lowest;
  total#h = 0;
//! end

  for (var start = first; start < numPositions; start += stride * tileKeys) {
    var scores: array<vec4f, tileKeys>;
    let end = min(start + stride * tileKeys, numPositions);
//! for h < heads
    var newGreatest#h = greatest#h;
//! end
    var i = 0u;
    for (var position = start; position < end; position += stride) {
      let page = pageTable[pageTableIndex(row.sequenceSlot, position)] * numKvHeads + kvHead;
      let token = position % kvPageTokens;
//! for d < quads
      let key_#d = keys[page][#d][token];
//! end
      var score: vec4f;
//! for h < heads
      var product#h = 0f;
//! for d < quads
      product#h += dot(query#h_#d, key_#d);
//! end
      score[#h] = product#h;
      newGreatest#h = max(newGreatest#h, score[#h]);
//! end
      scores[i] = score;
      i++;
    }
//! for h < heads
    let correction#h = exp(greatest#h - newGreatest#h);
    greatest#h = newGreatest#h;
    total#h *= correction#h;
//! for d < quads
    sum#h_#d *= correction#h;
//! end
//! end
    i = 0u;
    for (var position = start; position < end; position += stride) {
      let page = pageTable[pageTableIndex(row.sequenceSlot, position)] * numKvHeads + kvHead;
      let token = position % kvPageTokens;
      let score = scores[i];
//! for h < heads
      let weight#h = exp(score[#h] - greatest#h);
      total#h += weight#h;
//! end
//! for d < quads
      let value_#d = values[page][token][#d];
//! for h < heads
      sum#h_#d += weight#h * value_#d;
//! end
//! end
      i++;
    }
  }
}
