import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { expect, test } from '@playwright/test'
import { publint } from 'publint'
import { type App, type Bundler, buildWith, installInEmptyApp } from './package/build-app.ts'
import { serveBelow } from './static-host.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
let app: App

test.beforeAll(() => {
  app = installInEmptyApp()
})
test.afterAll(() => app.remove())

test('the packed package is what npm and TypeScript expect', async () => {
  const tarball = readFileSync(app.tarball)
  const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true })
  expect(messages).toEqual([])
  const types = await checkPackage(createPackageFromTarballData(tarball))
  const problems = types.types === false ? ['no types'] : types.problems
  // It is for browsers: there is no CommonJS to be had, nor the resolution from before "exports".
  const isKnown = (problem: (typeof problems)[number]) =>
    typeof problem !== 'string' &&
    ((problem.kind === 'CJSResolvesToESM' && problem.resolutionKind === 'node16-cjs') ||
      (problem.kind === 'NoResolution' && problem.resolutionKind === 'node10'))
  expect(problems.filter((problem) => !isKnown(problem))).toEqual([])
})

test('its types compile in a strict app', () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const project of ['tsconfig.json', 'tsconfig.ai-sdk.json'])
    execFileSync(process.execPath, [tsc, '--project', project], { cwd: app.folder, stdio: 'inherit' })
})

test('its core is small', () => {
  const sizeLimit = join(root, 'node_modules', 'size-limit', 'bin.js')
  execFileSync(process.execPath, [sizeLimit], { cwd: root, stdio: 'inherit' })
})

/** By the engine itself, by the Prompt API within a format, and by the AI SDK. */
const answered = /^The capital of France is Paris\.\|"(yes|no)"\|The capital of France is Paris\.$/

for (const bundler of ['vite', 'webpack', 'esbuild', 'none'] satisfies Bundler[]) {
  test(`a page built with ${bundler === 'none' ? 'nothing at all' : bundler} answers`, async ({ page }) => {
    const host = await serveBelow('/app/', { isIsolated: true, folder: await buildWith[bundler](app) })
    try {
      await page.goto(`${host.url}index.html`)
      await expect(page.locator('body')).toHaveText(answered)
    } finally {
      await host.close()
    }
  })
}
