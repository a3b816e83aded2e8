// @ts-check

/**
 * Reads each vec4 of the buffer once, neighbours by neighbours, and writes one sum an invocation.
 * weights: numVectors, sums: workgroups x workgroup size. Grid: workgroups.
 */
const shader = `
override workgroupSize: u32;
override numVectors: u32;
override stride: u32;
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var sum = vec4<u32>();
  for (var at = id.x; at < numVectors; at += stride) {
    sum += weights[at];
  }
  sums[id.x] = sum.x + sum.y + sum.z + sum.w;
}`

/** Shapes that are tried: few long loops suit a CPU that plays a GPU, many short ones a GPU. */
const shapes = [
  { workgroupSize: 64, numWorkgroups: 64 },
  { workgroupSize: 256, numWorkgroups: 256 },
  { workgroupSize: 256, numWorkgroups: 4096 },
]
const numRepeats = 3

/**
 * How fast a kernel that does nothing else reads a buffer of so many bytes on the adapter that pages get. The best of some
 * shapes and repetitions.
 * @param {import('playwright').Page} page
 * @param {number} bytes
 * @returns {Promise<number>} bytes a second
 */
export function measureGpuRead(page, bytes) {
  return page.evaluate(
    async ({ shader, shapes, bytes, numRepeats }) => {
      const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })
      if (adapter === null) throw new Error('There is no WebGPU adapter.')
      const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
      const device = await adapter.requestDevice({
        requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
      })
      /** @type {GPUDeviceLostInfo | undefined} */
      let loss
      device.lost.then((info) => {
        loss = info
      })
      // Without a device, or without the memory, work is done at once: that is no speed.
      for (const filter of /** @type {const} */ (['out-of-memory', 'validation', 'internal']))
        device.pushErrorScope(filter)
      const size = Math.floor(Math.min(bytes, maxStorageBufferBindingSize) / 16) * 16
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST
      const weights = device.createBuffer({ size, usage })
      // Written: memory that never was may not be there.
      const block = new Uint8Array(1 << 24).fill(1)
      for (let at = 0; at < size; at += block.length) {
        device.queue.writeBuffer(weights, at, block, 0, Math.min(block.length, size - at))
      }
      const module = device.createShaderModule({ code: shader })
      let best = Number.POSITIVE_INFINITY
      for (const { workgroupSize, numWorkgroups } of shapes) {
        const stride = workgroupSize * numWorkgroups
        const constants = { workgroupSize, numVectors: size / 16, stride }
        const pipeline = await device.createComputePipelineAsync({
          layout: 'auto',
          compute: { module, entryPoint: 'main', constants },
        })
        const sums = device.createBuffer({ size: 4 * stride, usage })
        const bindGroup = device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [weights, sums].map((buffer, binding) => ({ binding, resource: { buffer } })),
        })
        // One more, which does not count.
        for (let repeat = 0; repeat <= numRepeats; repeat++) {
          await device.queue.onSubmittedWorkDone()
          const start = performance.now()
          const encoder = device.createCommandEncoder()
          const pass = encoder.beginComputePass()
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, bindGroup)
          // Several in one submit: what a submit costs is not reading.
          for (let again = 0; again < 4; again++) pass.dispatchWorkgroups(numWorkgroups)
          pass.end()
          device.queue.submit([encoder.finish()])
          await device.queue.onSubmittedWorkDone()
          if (repeat > 0) best = Math.min(best, (performance.now() - start) / 4)
        }
      }
      const errors = [
        await device.popErrorScope(),
        await device.popErrorScope(),
        await device.popErrorScope(),
      ]
      // The news of a loss may come after the work that it ended.
      await new Promise((resolve) => setTimeout(resolve))
      const reason = loss ?? errors.find((error) => error !== null)
      if (reason !== undefined && reason !== null) throw new Error(`The GPU failed: ${reason.message}`)
      device.destroy()
      return (size / best) * 1000
    },
    { shader, shapes, bytes, numRepeats },
  )
}

/**
 * @param {import('playwright').Page} page
 * @returns {Promise<import('../schema.mjs').Adapter | null>}
 */
export function adapterOf(page) {
  return page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' })
    if (!adapter) return null
    const { vendor, architecture, description, isFallbackAdapter } = adapter.info
    const name = [vendor, architecture, description].filter((part) => part !== '').join(' ')
    return {
      name,
      isSoftware: isFallbackAdapter || /swiftshader|llvmpipe/i.test(name),
      features: [...adapter.features].sort(),
    }
  })
}
