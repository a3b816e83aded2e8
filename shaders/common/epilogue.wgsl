// What becomes of a row's sum in matvec and matmul. Put after `biased` (kernels/epilogue.ts), which adds the row's bias where
// there is one, and common/soft_cap.wgsl.
override epilogue: u32;
override outputScale: f32;
const add = 1u;
const glu = 2u;

fn finished(row: u32, sum: f32) -> f32 {
  return capped(outputScale * biased(row, sum));
}
