import { expect, test } from '@playwright/test'
import {
  ask,
  expectReady,
  lastAnswer,
  loadTimeoutMs,
  longTask,
  openLoadedChat,
  watchShards,
} from './chat-page.ts'

const question = 'What is the capital of France?'
const answer = 'The capital of France is Paris.'

test('loads a model, answers, and after a reload answers again without fetching weights', async ({
  page,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  const shards = watchShards(page.context())
  await openLoadedChat(page)
  expect(shards.length).toBeGreaterThan(0)
  await ask(page, question)
  expect(await lastAnswer(page)).toBe(answer)
  await expect(page.getByText(/tok\/s|tokens\/s/).first()).toBeVisible()

  const fetchedBefore = shards.length
  await page.reload()
  await expectReady(page)
  await ask(page, question)
  expect(await lastAnswer(page)).toBe(answer)
  expect(shards.length).toBe(fetchedBefore)
})

test('Stop ends an answer, and the next one comes', async ({ page }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page)
  await ask(page, longTask)
  await expect(page.locator('[data-role=answer]').last()).not.toBeEmpty()
  await page.getByRole('button', { name: 'Stop' }).click()
  await lastAnswer(page)
  await expect(page.getByText('Stopped')).toBeVisible()

  await page.getByRole('button', { name: 'New chat' }).click()
  await ask(page, question)
  expect(await lastAnswer(page)).toBe(answer)
})
