import { BrasaError, isBrasaError } from '../../errors.ts'
import type { Gpu } from './gpu.ts'

/** Notices what WebGPU reports only on the side: a lost device, and errors outside any scope. */
export interface DeviceHealth {
  /** @throws BrasaError the first failure, from the moment it is known */
  check(): void
  /** `error`, or the device's own failure where that is what caused it: a buffer's mapping fails before the loss is heard. */
  explain(error: unknown): Promise<unknown>
  /** From now on a lost device is what was asked for. */
  retire(): void
}

/** After a crash of the GPU process, a loss was heard of after 30 to 80 ms. */
const lossMs = 1_000

const orLate = (lost: Promise<void>) =>
  Promise.race([lost, new Promise<void>((resolve) => setTimeout(resolve, lossMs))])

export function watchDevice(gpu: Gpu): DeviceHealth {
  let failure: BrasaError | undefined
  let retired = false
  const noticed = gpu.device.lost.then(({ reason, message }) => {
    if (retired) return
    failure = new BrasaError('device_lost', {
      message: `The browser took the GPU away (${message || reason}). Ask again: the model is loaded anew from this device's storage.`,
      details: { reason },
    })
  })
  gpu.device.addEventListener('uncapturederror', ({ error }) => {
    failure ??=
      error instanceof GPUOutOfMemoryError
        ? new BrasaError('out_of_memory', {
            message:
              'The GPU ran out of memory. Close other tabs that use it, or load with a smaller contextLength.',
            cause: error,
          })
        : new BrasaError('internal', { message: `The GPU refused a command: ${error.message}`, cause: error })
  })
  return {
    check() {
      if (failure !== undefined) throw failure
      if (retired)
        throw new BrasaError('disposed', { message: 'This engine was disposed of. Create a new one.' })
    },
    async explain(error) {
      if (failure === undefined && !retired && !isBrasaError(error)) await orLate(noticed)
      if (failure !== undefined) return failure
      if (retired)
        return new BrasaError('disposed', { message: 'This engine was disposed of. Create a new one.' })
      return error
    },
    retire() {
      retired = true
    },
  }
}
