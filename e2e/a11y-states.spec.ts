import { expect, test } from '@playwright/test'
import { en } from '../packages/demo/src/words/en.ts'
import { es } from '../packages/demo/src/words/es.ts'
import { expectNoFaults, moving, seriousProblems, tooSmall, tooWide } from './axe.ts'
import { goTo, loadTimeoutMs } from './chat-page.ts'
import { type FileServer, serveFiles } from './file-server.ts'
import { storedChats } from './stored-chats.ts'
import { addingModelBytes, talkativeModelBytes, tinyModelBytes } from './tiny-model.ts'

// What a11y.spec.ts looks at as pages, here in the states that they go through under a person's hands, on a phone.

test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })

let server: FileServer
test.beforeEach(async () => {
  server = await serveFiles()
})
test.afterEach(() => server.close())

for (const [language, say, colorSchemes] of [
  ['en', en, ['light', 'dark']],
  // The colours are those of any language; its words are longer.
  ['es', es, ['light']],
] as const) {
  test(`in every state axe finds nothing serious, nothing is too wide, too small or moves by itself (${language})`, async ({
    page,
    context,
  }) => {
    const faults = expectNoFaults()
    const check = async (state: string) => {
      for (const colorScheme of colorSchemes) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        faults.add(`${state}, ${colorScheme}`, await seriousProblems(page))
      }
      faults.add(state, [...(await tooWide(page)), ...(await tooSmall(page)), ...(await moving(page))])
    }
    const button = (name: string, exact = true) => page.getByRole('button', { name, exact }).first()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await storedChats(page, language)
    await page.goto('/')

    await test.step('answers', async () => {
      await expect(page.locator('.answer')).toHaveCount(4)
      await expect(page.locator('.hljs-attr').first()).toBeVisible()
      await page.locator('.thought > summary').click()
      await check('answers')
      await button(say.answer.probabilities).click()
      await page.getByRole('listbox').getByRole('option', { name: /Paris/ }).focus()
      await expect(page.getByRole('tooltip')).toBeVisible()
      await check('probabilities')
      await button(say.chats.editQuestion).click()
      await expect(page.getByLabel(say.chats.questionInOtherWords)).toBeVisible()
      await check('an edited question')
      await page.keyboard.press('Escape')
    })

    await test.step('chats', async () => {
      const menu = button(say.chats.actsOf('Harbour log'))
      await button(say.app.menu).click()
      const search = page.getByRole('searchbox', { name: say.chats.search })
      await search.fill('ships')
      await expect(page.locator('mark')).toBeVisible()
      await check('a search of the chats')
      await search.fill('')
      await menu.click()
      await expect(page.getByRole('menu')).toBeVisible()
      await check('the menu of a chat')
      await page.getByRole('menuitem', { name: say.chats.rename }).click()
      await expect(page.getByLabel(say.chats.titleOf('Harbour log'))).toBeVisible()
      await check('a new title for a chat')
      await page.keyboard.press('Escape')
      await menu.click()
      await page.getByRole('menuitem', { name: say.chats.delete }).click()
      await expect(page.getByText(say.chats.deleted('Harbour log'))).toBeVisible()
      await check('a deleted chat')
      await button(say.controls.undo).click()
      await expect(menu).toBeVisible()
      await page.keyboard.press('Escape')
      await expect(page.getByRole('dialog')).toHaveCount(0)
    })

    await test.step('how to answer', async () => {
      await button(say.options.title).click()
      await page.getByLabel(say.options.withTools).check()
      await check('an answer with tools')
      await page.getByLabel(say.options.asJson, { exact: true }).check()
      await page.getByLabel(say.structure.schema).fill('{"type":')
      await expect(button(say.structure.goThere)).toBeVisible()
      await check('a mistake in a schema')
      await page.keyboard.press('Escape')
      await expect(page.locator('[data-code=schema_mistake]')).toBeVisible()
      await check('a chat that waits for its schema')
      await button(say.answer.changeSchema).click()
      await page.getByLabel(say.options.text, { exact: true }).check()
      await page.keyboard.press('Escape')
    })

    await test.step('models', async () => {
      const look = async (name: string) => {
        await page.getByLabel(say.models.address).fill(`${server.origin}/${name}`)
        await button(say.models.look).click()
      }
      const download = page.locator('.details .button')
      await goTo(page, 'models')
      await look('small.gguf')
      await expect(page.locator('.details [role=alert]')).toBeVisible()
      await check('a model that is not there')
      server.files.set('/small.gguf', { bytes: await tinyModelBytes('small') })
      await look('small.gguf')
      await expect(page.locator('.details dl')).toBeVisible()
      await check('about a model')
      server.hold()
      await download.click()
      await expect(page.getByRole('progressbar')).toBeVisible()
      await check('a model on its way')
      await goTo(page, 'chat')
      await expect(page.locator('.load-strip').getByRole('progressbar')).toBeVisible()
      await check('a chat with a model on its way')
      server.letGo()
      await expect(page.getByLabel(say.app.modelState)).toHaveText(say.app.onThisDevice)

      await goTo(page, 'models')
      await button(say.models.removeIt('small.gguf')).click()
      await check('removing a model')
      await page.keyboard.press('Escape')
      server.files.set('/gone.gguf', { bytes: await tinyModelBytes('gone') })
      await look('gone.gguf')
      await expect(page.locator('.details dl')).toBeVisible()
      server.files.delete('/gone.gguf')
      await download.click()
      await expect(page.locator('.notice[role=alert]')).toBeVisible()
      await check('a load that failed')
      await goTo(page, 'chat')
      await expect(page.locator('.load-strip[role=alert]')).toBeVisible()
      await check('a chat whose load failed')
      await button(say.chats.newChat).click()
      await expect(page.getByRole('heading', { level: 1, name: say.load.failed })).toBeVisible()
      await context.setOffline(true)
      await expect(page.locator('.page-notice[data-code=offline]')).toBeVisible()
      await check('a new chat whose load failed, offline')
      await context.setOffline(false)
    })

    await test.step('ONNX', async () => {
      await goTo(page, 'onnx')
      const open = async () => {
        await page.getByLabel(say.onnxPage.modelAddress).fill(`${server.origin}/adding.onnx`)
        await button(say.onnxPage.load).click()
      }
      await open()
      await expect(page.getByRole('alert')).toBeVisible()
      await check('an ONNX model that is not there')
      server.files.set('/adding.onnx', { bytes: addingModelBytes() })
      await open()
      await page.getByLabel(say.onnxPage.fillWith('x')).selectOption('typed', { timeout: loadTimeoutMs })
      await page.getByLabel(say.onnxPage.valuesOf('x')).fill('1, 2, 3')
      await button(say.onnxPage.run).click()
      await expect(page.getByRole('alert')).toBeVisible()
      await check('an ONNX run that was refused')
      await page.getByLabel(say.onnxPage.valuesOf('x')).fill('1, 2')
      await button(say.onnxPage.run).click()
      await expect(page.getByText('11, 22')).toBeVisible()
      await check('an ONNX run')
    })
    faults.end()
  })
}

test('for who wants no motion nothing moves while a model loads, nor while it answers', async ({ page }) => {
  await page.addInitScript(() => {
    localStorage.setItem('brasa.backend', '"wasm"')
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 32_768 }))
  })
  const expectStill = async () => {
    await page.emulateMedia({ reducedMotion: 'reduce' })
    expect(await moving(page)).toEqual([])
    // For all others something does.
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    expect(await moving(page)).not.toEqual([])
  }
  server.files.set('/talker.gguf', { bytes: await talkativeModelBytes('talker') })
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.goto('/#models')
  await page.getByLabel('Address of a model').fill(`${server.origin}/talker.gguf`)
  await page.getByRole('button', { name: 'Look', exact: true }).click()
  const download = page.getByRole('button', { name: /^Download/ })
  await expect(download).toBeVisible()
  server.hold()
  await download.click()
  await expect(page.getByRole('progressbar')).toBeVisible()
  await expectStill()
  server.letGo()

  await page.getByRole('button', { name: 'Chat with talker.gguf' }).click()
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.getByLabel('Message').fill('Go on and on')
  await page.getByLabel('Message').press('Enter')
  await expect(page.locator('[data-role=answer]')).toHaveAttribute('data-state', 'streaming')
  await expectStill()
  await expect(page.locator('.answer').last()).toHaveAttribute('aria-busy', 'true')
})
