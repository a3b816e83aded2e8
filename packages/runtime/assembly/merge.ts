import { madd } from './dot'
import { exp } from './exp'
import { MergeOp } from './ops'

export function merge(op: MergeOp, row: i32): void {
  const numSplits = op.numSplits
  const headBytes = <usize>op.headDim << 2
  const partBytes = headBytes + 16
  for (let head = 0; head < op.numHeads; head++) {
    const parts = op.parts + <usize>((row * op.numHeads + head) * numSplits) * partBytes
    let greatest = -f32.MAX_VALUE
    for (let split = 0; split < numSplits; split++) {
      greatest = max(greatest, load<f32>(parts + <usize>split * partBytes + headBytes))
    }
    const output = op.output + <usize>(row * op.numHeads + head) * headBytes
    memory.fill(output, 0, headBytes)
    let total: f32 = 0
    for (let split = 0; split < numSplits; split++) {
      const part = parts + <usize>split * partBytes
      const share = f32x4.extract_lane(exp(f32x4.splat(load<f32>(part + headBytes) - greatest)), 0)
      total += share * load<f32>(part + headBytes, 4)
      for (let i: usize = 0; i < headBytes; i += 16) {
        v128.store(output + i, madd(f32x4.splat(share), v128.load(part + i), v128.load(output + i)))
      }
    }
    const inverse = f32x4.splat(1 / total)
    for (let i: usize = 0; i < headBytes; i += 16) {
      v128.store(output + i, f32x4.mul(v128.load(output + i), inverse))
    }
  }
}
