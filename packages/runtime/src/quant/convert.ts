import { decodePlanes, promoteToQ8 } from './blocks.ts'
import { type PlaneLayout, type Planes, planeLengths } from './planes.ts'

/**
 * The narrowest layout that holds matrices of all the given layouts exactly, so that matrices which share an input can be
 * multiplied in one dispatch (a Q4_K_M file has q4 queries beside q8 values).
 */
export function commonLayout(layouts: readonly [PlaneLayout, ...PlaneLayout[]]): PlaneLayout {
  const [first] = layouts
  if (layouts.every((layout) => isSame(layout, first))) return first
  if (layouts.some(({ groupSize }) => groupSize === 0)) return { format: 'f32', groupSize: 0, hasMin: false }
  const groupSize = layouts.some((layout) => layout.groupSize === 16) ? 16 : 32
  return { format: 'q8', groupSize, hasMin: true }
}

/** The same `count` values in the layout `target`, which `commonLayout` gave for a set that holds `planes.layout`. */
export function convertPlanes(planes: Planes, target: PlaneLayout, count: number): Planes {
  if (isSame(planes.layout, target)) return planes
  if (target.groupSize !== 0) return promoteToQ8(planes, target.groupSize)
  const quants = new Uint32Array(planeLengths(target, count).quantWords)
  quants.set(new Uint32Array(decodePlanes(planes, count).buffer))
  return { layout: target, quants, scales: new Float32Array(0) }
}

const isSame = (a: PlaneLayout, b: PlaneLayout) =>
  a.format === b.format && a.groupSize === b.groupSize && a.hasMin === b.hasMin
