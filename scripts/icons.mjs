// @ts-check
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromiumArgs, findOrInstallChromium } from './chromium.mjs'
import { root, runAsScript } from './command-line.mjs'

/** Where an icon must be a PNG: home screens and installers that read no SVG. */
const pictures = [
  { from: 'icon.svg', to: 'icon-192.png', size: 192 },
  { from: 'icon.svg', to: 'icon-512.png', size: 512 },
  { from: 'icon-maskable.svg', to: 'icon-maskable-512.png', size: 512 },
  // iOS rounds the corners itself and shows transparency as black.
  { from: 'icon-maskable.svg', to: 'apple-touch-icon.png', size: 180 },
]

/** Draws public/*.png from the SVG files beside them. */
await runAsScript(import.meta.url, async () => {
  const { chromium } = await import('playwright')
  const browser = await chromium.launch({ executablePath: await findOrInstallChromium(), args: chromiumArgs })
  try {
    for (const { from, to, size } of pictures) {
      const svg = await readFile(join(root, 'public', from), 'utf8')
      const page = await browser.newPage({ viewport: { width: size, height: size } })
      await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px}</style>${svg}`)
      const path = join(root, 'public', to)
      await writeFile(path, await page.screenshot({ omitBackground: true }))
      await page.close()
      console.log(path)
    }
  } finally {
    await browser.close()
  }
})
