import type { Heap } from './heap.ts'

/** Words of an op: assembly/ops.ts has their meaning. */
const opWords = 32
export const opBytes = opWords * 4

const kinds = {
  embed: 0,
  normalise: 1,
  linear: 2,
  headNorm: 3,
  rope: 4,
  attention: 5,
  merge: 6,
  postNorm: 7,
} as const

export type OpKind = keyof typeof kinds

/** By number. */
export const kindNames = Object.keys(kinds) as readonly OpKind[]

/** A field of an op: a whole number or an address, or a float. */
export type Field = number | { readonly f32: number }

export const f32 = (value: number): Field => ({ f32: value })

/** A list of ops in memory, as `Kernels.run` takes it. Fields may be changed between runs. */
export interface Program {
  readonly address: number
  readonly numOps: number
  setChunks(op: number, numChunks: number): void
  setField(op: number, field: number, value: Field): void
}

export interface OpRecord {
  readonly kind: OpKind
  readonly numChunks: number
  /** In the order of the fields in assembly/ops.ts. */
  readonly fields: readonly Field[]
}

export function writeProgram(heap: Heap, ops: readonly OpRecord[]): Program {
  const address = heap.allocate(ops.length * opWords * 4)
  const write = (op: number, word: number, value: Field) => {
    const at = address + (op * opWords + word) * 4
    if (typeof value === 'number') heap.words(at, 1)[0] = value
    else heap.floats(at, 1)[0] = value.f32
  }
  for (const [index, { kind, numChunks, fields }] of ops.entries()) {
    write(index, 0, kinds[kind])
    write(index, 1, numChunks)
    for (const [field, value] of fields.entries()) write(index, field + 2, value)
  }
  return {
    address,
    numOps: ops.length,
    setChunks: (op, numChunks) => write(op, 1, numChunks),
    setField: (op, field, value) => write(op, field + 2, value),
  }
}
