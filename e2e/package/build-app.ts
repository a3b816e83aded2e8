import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'
import webpack from 'webpack'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = fileURLToPath(new URL('.', import.meta.url))

const aiSdk = '@ai-sdk/openai-compatible'

/** An empty app with nothing but the packed package in it. */
export interface App {
  readonly folder: string
  /** The tarball that npm would publish. */
  readonly tarball: string
  remove(): void
}

/** Packs the package as npm would publish it, and installs it in an app of its own, offline: it has no dependencies. */
export function installInEmptyApp(): App {
  const folder = mkdtempSync(join(tmpdir(), 'brasa-app-'))
  const npm = (cwd: string, ...args: string[]) => execFileSync('npm', args, { cwd, encoding: 'utf8' })
  execFileSync(process.execPath, [join(root, 'scripts', 'build-runtime.mjs')], { stdio: 'inherit' })
  const [packed] = JSON.parse(
    npm(join(root, 'packages', 'runtime'), 'pack', '--json', '--pack-destination', folder),
  )
  const tarball = join(folder, packed.filename)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', tarball)
  // What an app with the AI SDK has beside the package.
  for (const name of [aiSdk, '@types/node']) {
    mkdirSync(dirname(join(folder, 'node_modules', name)))
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  cpSync(sources, folder, { recursive: true })
  return { folder, tarball, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const page = (script: string) =>
  `<!doctype html><title>App</title><body><script type="module">${script}</script>`

/** What is not a module finds its other files by the script's own address. */
const classicPage = '<!doctype html><title>App</title><body><script defer src="main.js"></script>'

/** Where a page of the app is built, beside the models that it asks its own origin for. */
function outputFor({ folder }: App, kind: Bundler): string {
  const output = join(folder, `built-${kind}`)
  mkdirSync(output)
  symlinkSync(join(root, 'public', 'models'), join(output, 'models'))
  return output
}

export type Bundler = 'vite' | 'webpack' | 'esbuild' | 'none'

/** Builds the app as each bundler's users do, with next to no settings. @returns the folder to serve */
export const buildWith: Readonly<Record<Bundler, (app: App) => Promise<string>>> = {
  async vite(app) {
    const output = outputFor(app, 'vite')
    writeFileSync(join(app.folder, 'index.html'), page("import './main.js'"))
    await vite({
      root: app.folder,
      configFile: false,
      base: './',
      logLevel: 'error',
      worker: { format: 'es' },
      build: { outDir: output, emptyOutDir: false, target: 'esnext' },
    })
    return output
  },
  async webpack(app) {
    const output = outputFor(app, 'webpack')
    writeFileSync(join(output, 'index.html'), classicPage)
    const compiler = webpack({
      mode: 'production',
      context: app.folder,
      entry: './main.js',
      output: { path: output, filename: 'main.js' },
      performance: { hints: false },
    })
    await new Promise<void>((resolve, reject) => {
      compiler?.run((error, stats) => {
        if (error) reject(error)
        else if (stats?.hasErrors()) reject(new Error(stats.toString('errors-only')))
        else resolve()
      })
    })
    return output
  },
  async esbuild(app) {
    const output = outputFor(app, 'esbuild')
    writeFileSync(join(output, 'index.html'), page("import './main.js'"))
    await esbuild({
      absWorkingDir: app.folder,
      entryPoints: ['main.js'],
      bundle: true,
      format: 'esm',
      outdir: output,
      logLevel: 'error',
    })
    // It follows no `new URL(…, import.meta.url)`: the package's files go beside the bundle.
    cpSync(join(app.folder, 'node_modules', '@brasa', 'runtime', 'dist'), output, { recursive: true })
    return output
  },
  async none(app) {
    const output = outputFor(app, 'none')
    cpSync(join(app.folder, 'node_modules', '@brasa', 'runtime', 'dist'), join(output, 'brasa'), {
      recursive: true,
    })
    // What the page brings itself, as a file.
    await esbuild({
      stdin: { contents: `export * from '${aiSdk}'`, resolveDir: app.folder },
      ...{ bundle: true, format: 'esm', outfile: join(output, 'ai-sdk.js'), logLevel: 'error' },
    })
    const imports = {
      '@brasa/runtime': './brasa/index.js',
      '@brasa/runtime/prompt-api': './brasa/prompt-api.js',
      '@brasa/runtime/ai-sdk': './brasa/ai-sdk.js',
      [aiSdk]: './ai-sdk.js',
    }
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`
    cpSync(join(app.folder, 'main.js'), join(output, 'main.js'))
    writeFileSync(join(output, 'index.html'), map + page("import './main.js'"))
    return output
  },
}
