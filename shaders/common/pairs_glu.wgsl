// Gate row i and up row i, stored as activate(gate) * up. W is gate rows over up rows, y: (batch rows, numRows / 2).
// Put after common/epilogue.wgsl and an activation.
override numRows: u32;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn numPairs() -> u32 { return numRows / 2u; }

fn rowsOfPair(pair: u32) -> vec2u { return vec2u(pair, pair + numRows / 2u); }

fn finishPair(batchRow: u32, rows: vec2u, sums: vec2f) -> f32 {
  y[batchRow * numPairs() + rows.x] = activate(biased(rows.x, sums.x)) * biased(rows.y, sums.y);
  return 0;
}

fn leaveSquares(batchRow: u32, index: u32, squares: f32) {}
