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

/** Of a group of radio buttons: Tab comes to the chosen one, and arrows choose another. */
export async function chooseRadio(page: Page, from: Locator, to: Locator): Promise<void> {
  await tabTo(page, from)
  for (let step = 0; step < 3 && !(await to.isChecked()); step++) await page.keyboard.press('ArrowDown')
  await expect(to).toBeChecked()
}

/** Presses a control that opens the browser's own dialog for files. */
export async function pressForFiles(page: Page, wanted: Locator): Promise<FileChooser> {
  await tabTo(page, wanted)
  let chooser: FileChooser | undefined
  // A browser that is still putting the last one away opens no other.
  await expect(async () => {
    const opened = page.waitForEvent('filechooser', { timeout: 5000 })
    await page.keyboard.press('Enter')
    chooser = await opened
  }).toPass()
  return chooser!
}
