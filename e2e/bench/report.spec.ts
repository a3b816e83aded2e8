import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@playwright/test'
import { htmlOf } from '../../scripts/bench-html.mjs'
import { sampleResults } from '../../scripts/bench-sample-results.mjs'

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the report opens from a file, draws its charts and fits a phone, ${colorScheme}`, async ({
    page,
  }, info) => {
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(request.url())
    })
    const path = info.outputPath('report.html')
    writeFileSync(path, htmlOf(sampleResults))
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width: 360, height: 740 })
    await page.goto(pathToFileURL(path).href)
    const charts = page.locator('.chart canvas')
    await expect(charts).toHaveCount(sampleResults.tests.length)
    // Lines in the theme's colours, not an empty canvas.
    const numColours = await charts.nth(1).evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      return new Set(new Uint32Array(data.buffer)).size
    })
    expect(numColours).toBeGreaterThan(10)
    const { red, scrollWidth, clientWidth } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      const context = new OffscreenCanvas(1, 1).getContext('2d')!
      context.fillStyle = getComputedStyle(document.body).backgroundColor
      context.fillRect(0, 0, 1, 1)
      return { red: context.getImageData(0, 0, 1, 1).data[0]!, scrollWidth, clientWidth }
    })
    expect(red > 128).toBe(colorScheme === 'light')
    expect(scrollWidth).toBeLessThanOrEqual(clientWidth)
    expect(complaints).toEqual([])
  })
}
