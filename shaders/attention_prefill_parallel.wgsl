// Causal attention of many rows, whose own keys are in the pages already: a workgroup has one head of tileRows rows, and
// brings tiles of keys, then of values, to workgroup memory. Dao et al. 2022, algorithm 1, one dispatch.
// output: (numRows, numHeads * headDim)
// Rows are usually consecutive positions of one sequence; if a tile has rows of several, it takes one sequence after the other.
// Dispatch: (ceil(numRows / tileRows), numHeads, 1). tileRows is 4 * (lanes' groups of headDim / 4). Put after
// common/soft_cap.wgsl and common/window.wgsl.
override numHeads: u32;
override headDim: u32;
override scale: f32;
override tileRows: u32;
override tileKeys: u32;
override threads: u32;
override quads = headDim / 4u;
// One more than needed, so that lanes that read the same quad of neighbouring keys meet different memory banks.
override keyStride = quads + 1u;
const rowsPerThread = 4u;
const lowest = -0x1.fffffep+127f;
const noSlot = 0xffffffffu;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> keys: array<vec4f>;
@group(0) @binding(4) var<storage, read> values: array<vec4f>;
@group(0) @binding(5) var<storage, read> pageTable: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;

var<workgroup> queries: array<vec4f, tileRows * quads>;
// Keys, later values.
var<workgroup> tile: array<vec4f, tileKeys * keyStride>;
// Scores, later weights: (tileRows, tileKeys).
var<workgroup> weights: array<f32, tileRows * tileKeys>;
// How many positions of the sequence at hand each row sees.
var<workgroup> visible: array<u32, tileRows>;
var<workgroup> corrections: array<f32, tileRows>;
var<workgroup> totals: array<f32, tileRows>;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let firstRow = workgroup.x * tileRows;
  let head = workgroup.y;
  if (firstRow >= batch.numRows) { return; }
  let endRow = min(firstRow + tileRows, batch.numRows);
  let kvHead = head / (numHeads / numKvHeads);
  for (var i = lane; i < tileRows * quads; i += threads) {
    let rowIndex = min(firstRow + i / quads, endRow - 1u);
    queries[i] = scale * qkv[(rowIndex * (numHeads + 2u * numKvHeads) + head) * quads + i % quads];
  }

  // A thread has one quad of four rows' sums; thread r also has row r's softmax.
  let quad = lane % quads;
  let threadRow = lane / quads * rowsPerThread;
  var sums: array<vec4f, rowsPerThread>;
  var greatest = lowest;
  var total = 0f;

  var slot = slotAfter(firstRow, endRow, noSlot);
  while (slot != noSlot) {
    var firstPosition = 0xffffffffu;
    var numPositions = 0u;
    for (var r = firstRow; r < endRow; r++) {
      if (rows[r].sequenceSlot != slot) { continue; }
      firstPosition = min(firstPosition, firstVisible(rows[r].position + 1u));
      numPositions = max(numPositions, rows[r].position + 1u);
    }
    if (lane < tileRows) {
      let row = rows[min(firstRow + lane, endRow - 1u)];
      visible[lane] = select(0u, row.position + 1u, row.sequenceSlot == slot && firstRow + lane < endRow);
    }

    for (var start = firstPosition; start < numPositions; start += tileKeys) {
      workgroupBarrier();
      for (var i = lane; i < tileKeys * quads; i += threads) {
        let position = min(start + i % tileKeys, numPositions - 1u);
        let page = pageTable[pageTableIndex(slot, position)];
        tile[i % tileKeys * keyStride + i / tileKeys] = keys[keyQuad(page, kvHead, quads, position, i / tileKeys)];
      }
      workgroupBarrier();
      for (var i = lane; i < tileRows * tileKeys; i += threads) {
        let query = i / tileKeys * quads;
        let key = i % tileKeys * keyStride;
        var product = vec4f();
        for (var d = 0u; d < quads; d++) { product += queries[query + d] * tile[key + d]; }
        weights[i] = capped(dot(product, vec4f(1)));
      }
      workgroupBarrier();
      // The keys are done with: values take their place while one thread a row turns scores to weights.
      for (var i = lane; i < tileKeys * quads; i += threads) {
        let position = min(start + i / quads, numPositions - 1u);
        let page = pageTable[pageTableIndex(slot, position)];
        tile[i / quads * keyStride + i % quads] = values[valueQuad(page, kvHead, quads, position, i % quads)];
      }
      if (lane < tileRows) {
        let skipped = max(firstVisible(visible[lane]), start) - start;
        let count = min(tileKeys, max(visible[lane], start) - start);
        var newGreatest = greatest;
        for (var i = skipped; i < count; i++) { newGreatest = max(newGreatest, weights[lane * tileKeys + i]); }
        corrections[lane] = exp(greatest - newGreatest);
        total *= corrections[lane];
        greatest = newGreatest;
        for (var i = 0u; i < tileKeys; i++) {
          let weight = select(0, exp(weights[lane * tileKeys + i] - greatest), i >= skipped && i < count);
          weights[lane * tileKeys + i] = weight;
          total += weight;
        }
      }
      workgroupBarrier();
      if (threadRow < tileRows) {
        for (var r = 0u; r < rowsPerThread; r++) { sums[r] *= corrections[threadRow + r]; }
        for (var i = 0u; i < tileKeys; i++) {
          let value = tile[i * keyStride + quad];
          for (var r = 0u; r < rowsPerThread; r++) { sums[r] += weights[(threadRow + r) * tileKeys + i] * value; }
        }
      }
    }
    slot = slotAfter(firstRow, endRow, slot);
    workgroupBarrier();
  }

  if (lane < tileRows) { totals[lane] = total; }
  workgroupBarrier();
  if (threadRow >= tileRows) { return; }
  for (var r = 0u; r < rowsPerThread; r++) {
    let rowIndex = firstRow + threadRow + r;
    if (rowIndex < endRow) { output[(rowIndex * numHeads + head) * quads + quad] = sums[r] / totals[threadRow + r]; }
  }
}

// The lowest sequence slot of these rows that is above `slot`; with noSlot, the lowest of all.
fn slotAfter(firstRow: u32, endRow: u32, slot: u32) -> u32 {
  var next = noSlot;
  for (var r = firstRow; r < endRow; r++) {
    let candidate = rows[r].sequenceSlot;
    if (slot == noSlot || candidate > slot) { next = min(next, candidate); }
  }
  return next;
}
