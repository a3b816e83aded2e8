/**
 * Merges neighbouring pieces of `text`, first its characters, lowest priority number first, then leftmost, until no two
 * neighbours have one. O(n log n) in the text's length.
 *
 * @param priorityOf of joining `text[start, middle)` and `text[middle, end)`; undefined if they are not to be joined
 * @returns the pieces that are left, in order
 */
export function mergeNeighbours(
  text: string,
  priorityOf: (start: number, middle: number, end: number) => number | undefined,
): string[] {
  const starts: number[] = []
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at)
  const count = starts.length
  const ends = Int32Array.from({ length: count }, (_, piece) => starts[piece + 1] ?? text.length)
  const next = Int32Array.from({ length: count }, (_, piece) => (piece + 1 < count ? piece + 1 : -1))
  const previous = Int32Array.from({ length: count }, (_, piece) => piece - 1)

  const queue = mergeQueue()
  const offer = (left: number) => {
    const right = next[left]!
    if (right < 0) return
    const end = ends[right]!
    const priority = priorityOf(starts[left]!, starts[right]!, end)
    if (priority !== undefined) queue.push({ left, right, end, priority })
  }
  for (let left = 0; left < count - 1; left++) offer(left)

  for (let merge = queue.pop(); merge !== undefined; merge = queue.pop()) {
    const { left, right, end } = merge
    // Stale: one of the two was merged into another since, or has grown.
    if (next[left] !== right || ends[right] !== end) continue
    const after = next[right]!
    ends[left] = end
    next[left] = after
    next[right] = -1
    if (after >= 0) previous[after] = left
    if (previous[left]! >= 0) offer(previous[left]!)
    offer(left)
  }

  const pieces: string[] = []
  for (let piece = count > 0 ? 0 : -1; piece >= 0; piece = next[piece]!) {
    pieces.push(text.slice(starts[piece], ends[piece]))
  }
  return pieces
}

interface Merge {
  /** Index of the left piece's first character, which names the piece. */
  readonly left: number
  readonly right: number
  /** Of the right piece, in the text. */
  readonly end: number
  readonly priority: number
}

/** A binary heap. */
function mergeQueue() {
  const heap: Merge[] = []
  const before = (a: Merge, b: Merge) =>
    a.priority < b.priority || (a.priority === b.priority && a.left < b.left)
  return {
    push(merge: Merge) {
      let at = heap.length
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (!before(merge, heap[parent]!)) break
        heap[at] = heap[parent]!
        at = parent
      }
      heap[at] = merge
    },
    pop(): Merge | undefined {
      const top = heap[0]
      const last = heap.pop()
      if (last === undefined || heap.length === 0) return top
      let at = 0
      for (let child = 1; child < heap.length; child = 2 * at + 1) {
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
        if (!before(heap[child]!, last)) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = last
      return top
    },
  }
}
