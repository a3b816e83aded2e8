// @ts-check
// Nothing but Node itself may be imported here: this runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, ScriptError } from './command-line.mjs'

const isWindows = process.platform === 'win32'

export function ensureNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 20) return
  throw new ScriptError(
    `Node ${process.versions.node} is too old: Brasa needs Node 20 or later (https://nodejs.org).`,
  )
}

/** Installs the dependencies that the lockfile names, unless they are installed already. */
export function ensureInstalled() {
  const stamp = join(root, 'node_modules', '.brasa-install')
  const wanted = hashFiles(['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...packageFiles()])
  if (readStamp(stamp) === wanted) return
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  console.log(`Installing dependencies with ${packageManager} …`)
  run(
    'npx',
    [
      '--yes',
      packageManager,
      'install',
      '--frozen-lockfile',
      '--ignore-scripts',
      '--config.confirmModulesPurge=false',
    ],
    'The dependencies could not be installed. Is the npm registry within reach?',
  )
  writeFileSync(stamp, wanted)
}

/** Builds dist/ unless it was built from the files as they are now. */
export function ensureBuilt() {
  // In dist/, so that it goes when any other build replaces that folder.
  const stamp = join(root, 'dist', '.build-stamp')
  const wanted = hashSources()
  if (readStamp(stamp) === wanted && existsSync(join(root, 'dist', 'index.html'))) return
  console.log('Building …')
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  run(process.execPath, [vite, 'build', '--logLevel', 'warn'], 'The build failed; the reason is above.')
  writeFileSync(stamp, wanted)
}

/**
 * The environment without what `npm start` adds for its own child: npx and pnpm would take it for their settings. How to
 * reach the registry stays.
 * @returns {NodeJS.ProcessEnv}
 */
export function cleanEnvironment() {
  const kept =
    /^npm_config_(registry|cache|proxy|https_proxy|noproxy|cafile|strict_ssl|userconfig|globalconfig)$/i
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)),
  )
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} complaint what to say if it fails
 */
function run(command, args, complaint) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: cleanEnvironment(),
    shell: isWindows && command === 'npx',
  })
  if (error) throw new ScriptError(`${complaint} (${error.message})`)
  if (status !== 0) throw new ScriptError(complaint)
}

function packageFiles() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
  return ['package.json', ...packages.filter((path) => existsSync(join(root, path)))]
}

/** What goes into a build. Large files count by size and time, the others by content. */
function hashSources() {
  const settings = ['package.json', 'pnpm-lock.yaml', 'tsconfig.json', 'vite.config.ts']
  return hashFiles([...settings, ...['packages', 'shaders', 'public'].flatMap(listFiles)])
}

/**
 * @param {string} folder relative to the root
 * @returns {string[]} files under it that can end up in a build
 */
function listFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(node_modules|dist|fixtures)$/.test(entry.name) ? [] : listFiles(path)
    return entry.isFile() && !/\.test\.tsx?$|\.gguf$/.test(entry.name) ? [path] : []
  })
}

/** @param {readonly string[]} paths relative to the root */
function hashFiles(paths) {
  const hash = createHash('sha256')
  for (const path of paths.toSorted()) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0`)
    hash.update(size > 1_000_000 ? String(mtimeMs) : readFileSync(join(root, path)))
  }
  return hash.digest('hex')
}

/** @param {string} path */
function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
