import { expect, test } from '@playwright/test'
import { serveExample } from '../scripts/example.mjs'

/** What each answers to the text that is in its form, as far as it must be so. */
const answers: Readonly<Record<string, RegExp>> = {
  minimal: /The capital of France is Paris\./,
  'chat-with-tools': /^(add|subtract|multiply)\(\d+, \d+\) = -?\d+\n\n./,
  rag: /^\[0\.\d+\] The lighthouse of Arneby was built in 1862 .*\n\n./s,
  'structured-extraction': /^\{\s+"person": ".*",\s+"day": "\w+day",\s+"guests": \d+\s+\}$/,
  'ai-sdk': /\w+/,
  langchain: /lighthouses? .*\w/i,
}

for (const [name, expected] of Object.entries(answers)) {
  test(`the example ${name} answers`, async ({ page }) => {
    const server = await serveExample(name, 0)
    try {
      await page.goto(server.url)
      const output = page.locator('output')
      await expect(output).toHaveText('Ready.', { timeout: 120_000 })
      await page.getByRole('button').click()
      await expect(output).toHaveAttribute('data-state', 'done', { timeout: 120_000 })
      expect(await output.textContent()).toMatch(expected)
    } finally {
      await server.close()
    }
  })
}
