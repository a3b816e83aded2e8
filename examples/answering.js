// @ts-check

/**
 * The page that the examples share: a form whose text is answered below it.
 * @param {(text: string, show: (answer: string) => void) => Promise<void>} answer
 */
export function answering(answer) {
  const form = /** @type {HTMLFormElement} */ (document.querySelector('form'))
  const input = /** @type {HTMLTextAreaElement} */ (document.querySelector('#input'))
  const output = /** @type {HTMLOutputElement} */ (document.querySelector('output'))
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
  const show = (/** @type {string} */ text) => {
    output.textContent = text
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    button.disabled = true
    show('…')
    try {
      await answer(input.value, show)
    } catch (error) {
      show(error instanceof Error ? error.message : String(error))
    } finally {
      button.disabled = false
      output.dataset.state = 'done'
    }
  })
  show('Ready.')
}
