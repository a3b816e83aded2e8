// Pairs of neighbouring rows, added to the residual stream, which is left ready for the norm that reads it next: times that norm's
// gain, and its squares added up by parts. common/normed_input.wgsl is the reader's side.
// y: (batch rows, numRows), gain: (numRows), gained: (max rows, numRows), then from gainedSquares on (max rows, squaresStride)
// Put after common/epilogue.wgsl.
override numRows: u32;
override gainedSquares: u32;
override gainedStride: u32;

@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> gain: array<f32>;
@group(0) @binding(5) var<storage, read_write> gained: array<f32>;

fn numPairs() -> u32 { return (numRows + 1u) / 2u; }

fn rowsOfPair(pair: u32) -> vec2u { return vec2u(2u * pair, 2u * pair + 1u); }

fn finishPair(batchRow: u32, rows: vec2u, sums: vec2f) -> f32 {
  return addRow(batchRow, rows.x, sums.x) + addRow(batchRow, rows.y, sums.y);
}

fn addRow(batchRow: u32, row: u32, sum: f32) -> f32 {
  if (row >= numRows) { return 0; }
  let i = batchRow * numRows + row;
  let v = y[i] + finished(row, sum);
  y[i] = v;
  gained[i] = v * gain[row];
  return v * v;
}

fn leaveSquares(batchRow: u32, index: u32, squares: f32) {
  gained[gainedSquares + batchRow * gainedStride + index] = squares;
}
