// Pairs of components of queries, keys and values that RoPE turns together (Su et al. 2021, section 3.4.2): queries are stored, keys
// and values written to the cache. Rows of W are queries, keys, values.
// y: (batch rows, numRows), of which only the queries are written; ropeTable: (positions, ropeDim / 2, 2), cosine and sine;
// keys, values: pages of common/kv_pages.wgsl
// Put after common/epilogue.wgsl, common/batch.wgsl and common/kv_pages.wgsl.
override numRows: u32;
override numHeads: u32;
override headDim: u32;
override ropeDim: u32;
override pairedByHalf: bool;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> batchRows: array<BatchRow>;
@group(0) @binding(5) var<storage, read> ropeTable: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> keys: array<f32>;
@group(0) @binding(7) var<storage, read_write> values: array<f32>;
@group(0) @binding(8) var<storage, read> pageTable: array<u32>;

fn numPairs() -> u32 { return numRows / 2u; }

fn rowsOfPair(pair: u32) -> vec2u {
  let start = pair / (headDim / 2u) * headDim;
  let i = pair % (headDim / 2u);
  if (pairedByHalf && i < ropeDim / 2u) { return vec2u(start + i, start + i + ropeDim / 2u); }
  return vec2u(start + 2u * i, start + 2u * i + 1u);
}

fn finishPair(batchRow: u32, rows: vec2u, sums: vec2f) -> f32 {
  let row = batchRows[batchRow];
  let head = rows.x / headDim;
  let d = rows % headDim;
  var v = vec2f(finished(rows.x, sums.x), finished(rows.y, sums.y));
  let isValue = head >= numHeads + numKvHeads;
  if (d.y < ropeDim && !isValue) {
    let pair = select(d.x / 2u, d.x, pairedByHalf);
    let turn = ropeTable[row.position * (ropeDim / 2u) + pair];
    v = vec2f(v.x * turn.x - v.y * turn.y, v.x * turn.y + v.y * turn.x);
  }
  if (head < numHeads) {
    y[batchRow * numRows + rows.x] = v.x;
    y[batchRow * numRows + rows.y] = v.y;
    return 0;
  }
  let page = pageTable[pageTableIndex(row.sequenceSlot, row.position)];
  let kvHead = (head - numHeads) % numKvHeads;
  writeCache(isValue, page, kvHead, row.position, d.x, v.x);
  writeCache(isValue, page, kvHead, row.position, d.y, v.y);
  return 0;
}

fn writeCache(isValue: bool, page: u32, kvHead: u32, position: u32, d: u32, v: f32) {
  if (isValue) {
    values[valueQuad(page, kvHead, headDim / 4u, position, d / 4u) * 4u + d % 4u] = v;
  } else {
    keys[keyQuad(page, kvHead, headDim / 4u, position, d / 4u) * 4u + d % 4u] = v;
  }
}

fn leaveSquares(batchRow: u32, index: u32, squares: f32) {}
