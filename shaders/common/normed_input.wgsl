// An input x that its producer multiplied by the norm's gain and left behind it, from inputSquares on, the squares of what it
// was before in numSquares parts a batch row: the rest of the RMS norm is a factor on the product.
// Put after one of common/plane_dot_*.wgsl whose x is of vec4f.
override inputSquares: u32;
override inputStride: u32;
override numSquares: u32;
override epsilon: f32;

fn partialSquares(batchRow: u32, first: u32, step: u32) -> f32 {
  var sum = 0f;
  let start = inputSquares + batchRow * inputStride;
  for (var i = first; i < numSquares; i += step) { sum += x[(start + i) / 4u][(start + i) % 4u]; }
  return sum;
}

fn inputFactor(squares: f32) -> f32 {
  return inverseSqrt(squares / f32(numColumns) + epsilon);
}
