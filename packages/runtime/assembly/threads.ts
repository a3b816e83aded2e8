import { attention } from './attention'
import { embed } from './embed'
import { linear } from './linear'
import { merge } from './merge'
import {
  AttentionOp,
  EmbedOp,
  HeadNormOp,
  Kind,
  LinearOp,
  MergeOp,
  NormaliseOp,
  Op,
  opBytes,
  PostNormOp,
  RopeOp,
} from './ops'
import { normalise, postNorm } from './quantise'
import { headNorm, rope } from './rope'

/*
 * The board: what threads agree by, a word a cache line. The thread that runs the program publishes one op after another and works on
 * it itself; the others take chunks of it while there are any. An op is over when every chunk is done: a thread that holds
 * none delays nobody, so that it may sleep, or be put aside by the system.
 */
// Number of the op << 12 | the next chunk.
const claimAt: usize = 0
const doneAt: usize = 64
const opAt: usize = 128
const numChunksAt: usize = 192
const sleepersAt: usize = 256
const stopAt: usize = 320

const maxChunks: i32 = 4095

/** Runs the ops at `ops` in order, with whoever helps. */
export function run(board: usize, ops: usize, numOps: i32): void {
  for (let index = 0; index < numOps; index++) {
    const op = changetype<Op>(ops + <usize>index * opBytes)
    const numChunks = min(op.numChunks, maxChunks)
    if (numChunks == 1) {
      runChunk(op, 0, 1)
      continue
    }
    const number = (atomic.load<i32>(board, claimAt) >>> 12) + 1
    // Closed before its op changes: a thread that read the old claim must not take a chunk of the new op by it.
    atomic.store<i32>(board, ((number - 1) << 12) | maxChunks, claimAt)
    atomic.store<i32>(board, 0, doneAt)
    atomic.store<i32>(board, <i32>changetype<usize>(op), opAt)
    atomic.store<i32>(board, numChunks, numChunksAt)
    atomic.store<i32>(board, number << 12, claimAt)
    if (atomic.load<i32>(board, sleepersAt) > 0) atomic.notify(board + claimAt, -1)
    while (true) {
      const claim = atomic.load<i32>(board, claimAt)
      if ((claim & maxChunks) >= numChunks) break
      if (atomic.cmpxchg<i32>(board, claim, claim + 1, claimAt) != claim) continue
      runChunk(op, claim & maxChunks, numChunks)
      atomic.add<i32>(board, 1, doneAt)
    }
    // Those that a claim cannot count.
    for (let chunk = numChunks; chunk < op.numChunks; chunk++) runChunk(op, chunk, op.numChunks)
    while (atomic.load<i32>(board, doneAt) != numChunks) {}
  }
}

/**
 * Takes chunks until told to stop.
 * @param patience how often to look for a chunk in vain before sleeping
 * @param hesitation most turns to wait between seeing a chunk, taking it, doing it and saying so: 0 but in tests of the board
 */
export function help(board: usize, patience: i32, hesitation: i32): void {
  let idle = 0
  while (atomic.load<i32>(board, stopAt) == 0) {
    const claim = atomic.load<i32>(board, claimAt)
    const op = changetype<Op>(<usize>atomic.load<i32>(board, opAt))
    const numChunks = atomic.load<i32>(board, numChunksAt)
    if ((claim & maxChunks) < numChunks) {
      if (hesitation > 0) hesitate(board, hesitation)
      if (atomic.cmpxchg<i32>(board, claim, claim + 1, claimAt) != claim) continue
      if (hesitation > 0) hesitate(board, hesitation)
      runChunk(op, claim & maxChunks, numChunks)
      if (hesitation > 0) hesitate(board, hesitation)
      atomic.add<i32>(board, 1, doneAt)
      idle = 0
    } else if (++idle > patience) {
      atomic.add<i32>(board, 1, sleepersAt)
      if (atomic.load<i32>(board, stopAt) == 0) atomic.wait<i32>(board + claimAt, claim, -1)
      atomic.sub<i32>(board, 1, sleepersAt)
      idle = 0
    }
  }
}

/** Of this thread alone: globals are not shared. */
let hesitated: u32 = 0

function hesitate(board: usize, most: i32): void {
  hesitated = hesitated * 1664525 + 1013904223
  // Reads what no compiler may leave out.
  for (let turns = (hesitated >>> 8) % most; turns > 0; turns--) atomic.load<i32>(board, stopAt)
}

/** Wakes the threads that help, for them to end. */
export function stop(board: usize): void {
  atomic.store<i32>(board, 1, stopAt)
  // A claim that differs, so that none goes to sleep over it.
  atomic.store<i32>(board, ((atomic.load<i32>(board, claimAt) >>> 12) << 12) | maxChunks, claimAt)
  atomic.notify(board + claimAt, -1)
}

function runChunk(op: Op, chunk: i32, numChunks: i32): void {
  switch (op.kind) {
    case Kind.Linear: {
      const linearOp = changetype<LinearOp>(op)
      const numTiles = linearOp.numTiles
      linear(linearOp, <i32>((<i64>numTiles * chunk) / numChunks), <i32>((<i64>numTiles * (chunk + 1)) / numChunks))
      return
    }
    case Kind.Normalise:
      normalise(changetype<NormaliseOp>(op), chunk)
      return
    case Kind.Attention:
      attention(changetype<AttentionOp>(op), chunk)
      return
    case Kind.Merge:
      merge(changetype<MergeOp>(op), chunk)
      return
    case Kind.Rope:
      rope(changetype<RopeOp>(op), chunk)
      return
    case Kind.HeadNorm:
      headNorm(changetype<HeadNormOp>(op), chunk)
      return
    case Kind.PostNorm:
      postNorm(changetype<PostNormOp>(op), chunk)
      return
    case Kind.Embed:
      embed(changetype<EmbedOp>(op), chunk)
      return
  }
}
