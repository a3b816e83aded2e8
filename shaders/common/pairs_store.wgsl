// Pairs of neighbouring rows, stored. y: (batch rows, numRows). Put after common/epilogue.wgsl.
override numRows: u32;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn numPairs() -> u32 { return (numRows + 1u) / 2u; }

fn rowsOfPair(pair: u32) -> vec2u { return vec2u(2u * pair, 2u * pair + 1u); }

fn finishPair(batchRow: u32, rows: vec2u, sums: vec2f) -> f32 {
  y[batchRow * numRows + rows.x] = finished(rows.x, sums.x);
  if (rows.y < numRows) { y[batchRow * numRows + rows.y] = finished(rows.y, sums.y); }
  return 0;
}

fn leaveSquares(batchRow: u32, index: u32, squares: f32) {}
