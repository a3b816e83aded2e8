import type { DeviceLayout } from './device-planes.ts'

/** A matrix in GPU memory as the planes of device-planes.ts. */
export interface WeightMatrix {
  readonly layout: DeviceLayout
  readonly numRows: number
  readonly numColumns: number
  readonly quants: GPUBuffer
  /** A placeholder of 16 bytes for float formats, which have no scales. */
  readonly scales: GPUBuffer
}
