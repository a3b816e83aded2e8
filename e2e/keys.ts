import { expect, type FileChooser, type Locator, type Page } from '@playwright/test'

// What a person without a pointer has: real key presses, and the focus only where Tab and arrows bring it.

/** More stops than any part of the page has. */
const maxSteps = 150

const isFocused = (element: Element) => element === document.activeElement

/** Goes there by Tab alone. */
export async function tabTo(page: Page, wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let step = 0; step < maxSteps; step++) {
    if (await wanted.evaluate(isFocused)) return
    await page.keyboard.press(key)
  }
  throw new Error(`${key} does not lead to ${wanted}.`)
}

/** Goes to a control, and does with the key what it says. */
export async function press(page: Page, wanted: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, wanted)
  await page.keyboard.press(key)
}

/** Goes to the button of that name, of several the first, and presses it. */
export async function pressButton(page: Page, name: string | RegExp, key = 'Enter'): Promise<void> {
  await press(page, page.getByRole('button', { name, exact: typeof name === 'string' }).first(), key)
}

/** Types in place of what is in the field. */
export async function typeInto(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(text)
}

/** Chooses by the first letters of an option. */
export async function chooseOption(page: Page, select: Locator, text: string): Promise<void> {
  await tabTo(page, select)
  await page.keyboard.type(text)
  const chosen = () =>
    select.evaluate((element) => (element as HTMLSelectElement).selectedOptions[0]?.textContent ?? '')
  await expect.poll(chosen).toContain(text)
}

/** Chooses files in the browser's own dialog, which `open` brings. A browser that is still putting the last one away opens no other. */
export async function chooseFiles(
  page: Page,
  open: () => Promise<void>,
  files: Parameters<FileChooser['setFiles']>[0],
): Promise<void> {
  let chooser: FileChooser | undefined
  await expect(async () => {
    const opened = page.waitForEvent('filechooser', { timeout: 5000 })
    // Awaited below, and where `open` fails, by nobody.
    opened.catch(() => {})
    await open()
    chooser = await opened
  }).toPass()
  await chooser!.setFiles(files)
}
