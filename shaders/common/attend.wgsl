// Causal attention of a few rows and heads that share keys, by one thread, with an online softmax (Milakov & Gimelshein 2018)
// over tiles of keys: no barriers, queries and sums in registers. Lanes take different keys (decode) or rows (prefill).
// Lines between `//! for` and `//! end` are repeated by kernels/unroll.ts: an index that is not a constant would put the
// registers in memory. `heads` (1 to 4) query heads share a KV head, `quads` is headDim / 4. Put after common/soft_cap.wgsl and
// common/window.wgsl.
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

// What `attend` leaves of each row and head: the greatest score, and relative to it the weights' total and weighted values.
//! for r < rowsPerThread
//! for h < heads
var<private> greatest#r_#h: f32;
var<private> total#r_#h: f32;
var<private> sum#r_#h: array<vec4f, quads>;
//! end
//! end

// Head `h` of a tile; tiles cut each group of numHeads / numKvHeads heads into headTiles parts.
fn headOf(tile: u32, h: u32) -> u32 {
  let group = numHeads / numKvHeads;
  return tile / headTiles * group + min(tile % headTiles * heads + h, group - 1u);
}

// The row itself, or the batch's last one for rows past it.
fn rowAt(rowIndex: u32) -> BatchRow {
  return rows[min(rowIndex, batch.numRows - 1u)];
}

// Attends, for rowsPerThread rows from firstRow on, to the first, first + stride, ... of the positions that they read.
fn attend(firstRow: u32, tile: u32, first: u32, stride: u32) {
  let kvHead = tile / headTiles;
//! for r < rowsPerThread
//! for h < heads
  let head#r_#h = min(firstRow + #ru, batch.numRows - 1u) * (numHeads + 2u * numKvHeads) + headOf(tile, #hu);
  // In a loop, as is what writes the sums: loads and stores through a pointer are what takes long to compile.
  var query#r_#h: array<vec4f, quads>;
  for (var d = 0u; d < quads; d++) { query#r_#h[d] = qkv[head#r_#h][d] * scale; }
  sum#r_#h = array<vec4f, quads>();
  greatest#r_#h = lowest;
  total#r_#h = 0;
//! end
//! end

  // Rows are nearly always of one sequence. If not, each sequence has its turn, in which other sequences' rows see nothing.
  for (var turn = 0u; turn < rowsPerThread; turn++) {
    let slot = rowAt(firstRow + turn).sequenceSlot;
    var hadTurn = false;
    for (var r = 0u; r < turn; r++) { hadTurn = hadTurn || rowAt(firstRow + r).sequenceSlot == slot; }
    if (hadTurn) { continue; }
    var firstPosition = 0xffffffffu;
    var numPositions = 0u;
//! for r < rowsPerThread
    let row#r = rowAt(firstRow + #ru);
    let visible#r = select(0u, row#r.position + 1u, row#r.sequenceSlot == slot);
    let first#r = firstVisible(visible#r);
    firstPosition = min(firstPosition, select(0xffffffffu, first#r, visible#r > 0u));
    numPositions = max(numPositions, visible#r);
//! end

    for (var start = firstPosition + first; start < numPositions; start += stride * tileKeys) {
      let end = min(start + stride * tileKeys, numPositions);
//! for r < rowsPerThread
      var scores#r: array<vec4f, tileKeys>;
//! for h < heads
      var newGreatest#r_#h = greatest#r_#h;
//! end
//! end
      var i = 0u;
      for (var position = start; position < end; position += stride) {
        let page = pageTable[pageTableIndex(slot, position)] * numKvHeads + kvHead;
        let token = position % kvPageTokens;
//! for d < quads
        let key_#d = keys[page][#d][token];
//! end
        var score: vec4f;
//! for r < rowsPerThread
//! for h < heads
        var product#r_#h = 0f;
//! for d < quads
        product#r_#h += dot(query#r_#h[#d], key_#d);
//! end
        score[#h] = select(lowest, capped(product#r_#h), position >= first#r && position < visible#r);
        newGreatest#r_#h = max(newGreatest#r_#h, score[#h]);
//! end
        scores#r[i] = score;
//! end
        i++;
      }

//! for r < rowsPerThread
//! for h < heads
      let correction#r_#h = exp(greatest#r_#h - newGreatest#r_#h);
      greatest#r_#h = newGreatest#r_#h;
      total#r_#h *= correction#r_#h;
//! for d < quads
      sum#r_#h[#d] *= correction#r_#h;
//! end
//! end
//! end
      i = 0u;
      for (var position = start; position < end; position += stride) {
        let page = pageTable[pageTableIndex(slot, position)] * numKvHeads + kvHead;
        let token = position % kvPageTokens;
//! for r < rowsPerThread
        let score#r = scores#r[i];
//! for h < heads
        let weight#r_#h = select(0, exp(score#r[#h] - greatest#r_#h), position >= first#r && position < visible#r);
        total#r_#h += weight#r_#h;
//! end
//! end
//! for d < quads
        let value_#d = values[page][token][#d];
//! for r < rowsPerThread
//! for h < heads
        sum#r_#h[#d] += weight#r_#h * value_#d;
//! end
//! end
//! end
        i++;
      }
    }
  }
}
