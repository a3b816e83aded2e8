// @ts-check
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findChromium } from './chromium.mjs'
import { reasonOf, runAsScript, ScriptError } from './command-line.mjs'
import { importRuntime } from './typescript.mjs'

const usage = `Usage: npm run gpu-check -- [options]
Checks and measures this engine on this machine's GPU through Dawn, without a browser and without a model file: needs Vulkan on
Linux, Metal on macOS, Direct3D 12 on Windows. Where there is no GPU it takes the software adapter that Chromium ships.
  --shapes LIST   135M, 0.5B, 1B, 3B, 8B; all of them, and on a software adapter 135M, if left out
  --software      the software adapter, also where there is a GPU
  --quick         correctness, and kernels on small matrices: no decoding`

/** What `spawnSync` hands to this script's second run, so that there is no third. */
const softwareMark = 'BRASA_GPU_CHECK_SOFTWARE'

await runAsScript(import.meta.url, async (args) => {
  const options = readOptions(args)
  const isSecondRun = process.env[softwareMark] !== undefined
  const { create, globals } = await import('webgpu').catch((error) => {
    throw new ScriptError(`npm's webgpu package does not load on this machine: ${reasonOf(error)}`)
  })
  Object.assign(globalThis, globals)
  const instance = create([])
  const adapter =
    options.software && !isSecondRun
      ? null
      : await instance.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    if (isSecondRun) throw new ScriptError('There is no GPU, and the software adapter did not start.')
    process.exit(await runOnSoftware(args))
  }
  /** @type {typeof import('../packages/runtime/src/backends/gpu-check.ts')} */
  const check = await importRuntime('backends/gpu-check.ts')
  /** @type {string[]} */
  const errors = []
  const open = async () => {
    // An adapter gives one device: each executor destroys its own.
    const fresh = await instance.requestAdapter({ powerPreference: 'high-performance' })
    if (fresh === null) throw new ScriptError('The adapter was there and is no more: did the driver fail?')
    const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = fresh.limits
    const device = await fresh.requestDevice({
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
      requiredFeatures: fresh.features.has('subgroups') ? ['subgroups'] : [],
    })
    device.addEventListener('uncapturederror', (event) => errors.push(event.error.message))
    return check.gpuOf(device, fresh.info)
  }

  const gpu = await open()
  console.log(`adapter: ${gpu.adapterName}${gpu.isSoftware ? ' (software)' : ''}`)
  console.log(`features: ${[...adapter.features].sort().join(', ')}`)

  console.log(`\nlog-probabilities against float64, at most ${check.tolerance} off:`)
  const types = options.quick ? check.checkedTypes.slice(0, 1) : check.checkedTypes
  let isRight = true
  for (const variant of check.variantsOn(gpu)) {
    for (const type of types) {
      const { worstError, sameTokens } = await check.checkCorrectness(open, type, variant)
      const passes = worstError <= check.tolerance && sameTokens
      isRight &&= passes
      const words = `off by ${worstError.toExponential(1)}, ${sameTokens ? 'the same' : 'other'} tokens`
      console.log(`  ${variant.padEnd(6)}${type.padEnd(6)}${words}: ${passes ? 'right' : 'WRONG'}`)
    }
  }

  const usualBytes = gpu.isSoftware ? 16 << 20 : 512 << 20
  const matrixBytes = options.quick ? 1 << 18 : usualBytes
  console.log(`\nkernels, matrices of ${matrixBytes / (1 << 20)} MiB:`)
  const speeds = await check.measureKernels(gpu, { matrixBytes, minSeconds: options.quick ? 0 : 0.1 })
  gpu.device.destroy()
  for (const { name, gigabytesPerSecond, shareOfLimit, gigaflopsPerSecond } of speeds) {
    const share = `${(100 * shareOfLimit).toFixed(0)}% of read only`
    const flops = gigaflopsPerSecond === undefined ? '' : `, ${gigaflopsPerSecond.toFixed(1)} GFLOP/s`
    console.log(`  ${name.padEnd(30)}${gigabytesPerSecond.toFixed(2).padStart(9)} GB/s  ${share}${flops}`)
  }

  const shapes = options.quick
    ? []
    : (options.shapes ?? (gpu.isSoftware ? ['135M'] : Object.keys(check.modelShapes)))
  if (shapes.length > 0) console.log('\ndecoding, random Q4_0 weights:')
  for (const name of shapes) {
    const shape = check.modelShapes[/** @type {keyof typeof check.modelShapes} */ (name)]
    try {
      const speed = await check.measureDecode(open, shape, gpu.isSoftware ? 16 : 128)
      const gigabytes = (speed.weightBytes * speed.tokensPerSecond) / 1e9
      const limit = speeds[0]?.gigabytesPerSecond ?? Number.NaN
      console.log(
        `  ${name.padEnd(6)}${speed.tokensPerSecond.toFixed(1).padStart(8)} tok/s  ${(speed.weightBytes / 1e9).toFixed(2)} GB of weights, ${gigabytes.toFixed(1)} GB/s, ${((100 * gigabytes) / limit).toFixed(0)}% of read only; a token ${speed.dispatchesPerToken} dispatches, ${speed.submitsPerToken} submits; streaming at ${(100 * speed.streamingShare).toFixed(0)}% of the rate without readback; loaded in ${speed.loadSeconds.toFixed(1)} s`,
      )
      console.log(`        ${speed.reason}`)
    } catch (error) {
      errors.push(`${name}: ${reasonOf(error)}`)
    }
  }
  for (const error of new Set(errors)) console.error(`error: ${error}`)
  process.exit(isRight && errors.length === 0 ? 0 : 1)
})

/**
 * This script again with the software adapter: libraries are looked up where a process begins.
 * @param {readonly string[]} args
 */
async function runOnSoftware(args) {
  const folder = await softwareFolder()
  console.error(`No GPU was found, or it was not to be used: taking the software adapter in ${folder}.`)
  const { LD_LIBRARY_PATH } = process.env
  const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      [softwareMark]: '1',
      VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
      LD_LIBRARY_PATH: [LD_LIBRARY_PATH, folder].filter(Boolean).join(':'),
    },
  })
  return status ?? 1
}

/** Where Chromium keeps SwiftShader: beside its executable, or where Debian puts it. */
async function softwareFolder() {
  const chromium = await findChromium()
  const folders = [
    ...(chromium === undefined ? [] : [dirname(realpathSync(chromium))]),
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
  ]
  const found = folders.find((folder) => existsSync(join(folder, 'vk_swiftshader_icd.json')))
  if (found !== undefined) return found
  throw new ScriptError(
    'No GPU was found: is a Vulkan driver installed (vulkaninfo tells)? For the software adapter, install Chromium (Debian: apt-get install chromium).',
  )
}

/** @param {string[]} args */
function readOptions(args) {
  const known = ['135M', '0.5B', '1B', '3B', '8B']
  let values
  try {
    values = parseArgs({
      args,
      options: {
        shapes: { type: 'string' },
        software: { type: 'boolean' },
        quick: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new ScriptError(`${reasonOf(error)}\n${usage}`)
  }
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const shapes = values.shapes?.split(',').filter((name) => name !== '')
  const unknown = shapes?.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new ScriptError(`"${unknown}" is none of ${known.join(', ')}.`)
  return { shapes, software: values.software ?? false, quick: values.quick ?? false }
}
