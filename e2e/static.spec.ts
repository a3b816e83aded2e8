import { expect, test } from '@playwright/test'

test('the page is cross-origin isolated, for shared memory and precise clocks', async ({ page }) => {
  await page.goto('/')
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  await page.goto('/bench.html')
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
})

test('the build has the catalogue and shards that any static host takes', async ({ request }) => {
  const catalogue = await (await request.get('/models/models.json')).json()
  const [model] = catalogue.models
  const manifest = await (await request.get(`/models/${model.manifest}`)).json()
  expect(manifest.files[0].sha256).toBe(model.sha256)
  const folder = `/models/${model.manifest}`.replace(/[^/]*$/, '')
  for (const shard of manifest.files[0].shards) {
    const response = await request.head(folder + shard.path)
    expect(response.status()).toBe(200)
    expect(Number(response.headers()['content-length'])).toBe(shard.size)
    expect(shard.size).toBeLessThan(25 * 1024 * 1024)
  }
  expect((await request.head(`/models/${model.id}.gguf`)).status()).toBe(404)
})

test('what does not exist is a 404 and not the page', async ({ request }) => {
  expect((await request.get('/models/nothing/manifest.json')).status()).toBe(404)
})

test('nothing on the page comes from another origin', async ({ page, baseURL }) => {
  const elsewhere: string[] = []
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && url.origin !== baseURL) elsewhere.push(request.url())
  })
  await page.goto('/')
  await page.waitForLoadState('networkidle')
  expect(elsewhere).toEqual([])
})
