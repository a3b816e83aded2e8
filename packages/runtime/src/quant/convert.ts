import { decodePlanes, promoteToQ8 } from './blocks.ts'
import type { PlaneLayout, Planes } from './planes.ts'

/**
 * The narrowest layout that holds matrices of all the given layouts exactly, so that matrices which share an input can be
 * multiplied in one dispatch (a Q4_K_M file has q4 queries beside q8 values).
 */
export function commonLayout(layouts: readonly PlaneLayout[]): PlaneLayout {
  const [first] = layouts
  if (first === undefined) throw new RangeError('commonLayout of no layouts')
  if (layouts.every((layout) => isSame(layout, first))) return first
  if (layouts.some(({ groupSize }) => groupSize === 0)) return { format: 'f32', groupSize: 0, hasMin: false }
  return {
    format: 'q8',
    groupSize: layouts.some(({ groupSize }) => groupSize === 16) ? 16 : 32,
    hasMin: layouts.some(({ hasMin }) => hasMin),
  }
}

/** The same `count` values in the layout `target`, which `commonLayout` gave for a set that holds `planes.layout`. */
export function convertPlanes(planes: Planes, target: PlaneLayout, count: number): Planes {
  if (isSame(planes.layout, target)) return planes
  if (target.format === 'f32') {
    const values = decodePlanes(planes, count)
    return { layout: target, quants: new Uint32Array(values.buffer), scales: new Float32Array(0) }
  }
  const { layout, quants, scales } = planes.layout.format === 'q4' ? promoteToQ8(planes) : planes
  return { layout: target, quants, scales: regroupScales(scales, layout, target) }
}

/** Repeats a group's scale for the smaller groups it is divided into, and adds minimums of 0 where they are wanted. */
function regroupScales(scales: Float32Array, from: PlaneLayout, to: PlaneLayout): Float32Array<ArrayBuffer> {
  const groupsPerGroup = from.groupSize / to.groupSize
  const numGroups = (scales.length / (from.hasMin ? 2 : 1)) * groupsPerGroup
  const regrouped = new Float32Array(numGroups * (to.hasMin ? 2 : 1))
  for (let group = 0; group < numGroups; group++) {
    const source = Math.floor(group / groupsPerGroup)
    const scale = scales[from.hasMin ? source * 2 : source]!
    if (to.hasMin) {
      regrouped[group * 2] = scale
      regrouped[group * 2 + 1] = from.hasMin ? scales[source * 2 + 1]! : 0
    } else regrouped[group] = scale
  }
  return regrouped
}

const isSame = (a: PlaneLayout, b: PlaneLayout) =>
  a.format === b.format && a.groupSize === b.groupSize && a.hasMin === b.hasMin
