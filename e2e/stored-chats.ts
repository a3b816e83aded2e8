import type { Page } from '@playwright/test'

const long = 'a'.repeat(60)

/** A chat with all that an answer can hold, as wide as it comes, and another one. */
const chats = [
  {
    id: 'told',
    title: 'Everything',
    messages: [
      { role: 'user', id: 'q1', content: `What is 17 * 23, and what is ${long}?` },
      {
        ...{ role: 'assistant', id: 'a1', state: 'done', thought: 'They want a product.', thoughtMs: 2300 },
        content: `It is **391**, as \`17 * 23\` says.\n\n| Number | Word |\n|---|---|\n| 391 | ${long} |`,
        rounds: [
          {
            content: 'I shall work it out.',
            calls: [
              {
                id: 'c1',
                name: 'calculator',
                arguments: '{"expression":"17 * 23"}',
                result: '391',
                tookMs: 3,
              },
              { id: 'c2', name: 'clock', arguments: `{"time_zone":"${long}"}`, result: 'No.', failed: true },
              { id: 'c3', name: 'clock', arguments: '{}' },
            ],
          },
        ],
        stats: { tokens: 42, ttftMs: 310, tokensPerSecond: 31.5, contextTokens: 1204, contextLength: 8192 },
      },
      { role: 'user', id: 'q2', content: 'As JSON.' },
      {
        ...{ role: 'assistant', id: 'a2', state: 'stopped', format: 'json' },
        content: `{"product": 391, "is_odd": true, "word": "${long}"}`,
      },
      { role: 'user', id: 'q3', content: 'What is the capital of France?' },
      {
        ...{ role: 'assistant', id: 'a3', state: 'long', content: 'It is Paris, I think.' },
        probabilities: [
          ['It', 0.95, 'It', 0.95, 'Paris', 0.03],
          [' is', 0.6, ' is', 0.6, ' might', 0.2],
          [' Paris', 0.3, ' Paris', 0.3, ' Lyon', 0.25, ` ${long}`, 0.1],
          [',', 0.1, '.', 0.6, ',', 0.1],
          [' I think.', 0.01, ' surely', 0.4],
        ],
      },
      { role: 'user', id: 'q4', content: 'And of Italy?' },
      {
        ...{ role: 'assistant', id: 'a4', state: 'failed', content: 'It' },
        failure: { code: 'worker_lost', message: 'The worker that ran the model was lost. Load it again.' },
      },
    ],
  },
  {
    id: 'harbour',
    title: 'Harbour log',
    messages: [
      { role: 'user', id: 'q', content: 'Sum it up.' },
      { role: 'assistant', id: 'a', state: 'done', content: 'Three ships came in.' },
    ],
  },
]

/** Puts chats where the page finds them when it is first opened, with the first one open and answers from the CPU. */
export async function storedChats(page: Page, language: string): Promise<void> {
  await page.addInitScript(
    ({ language, chats }) => {
      if (localStorage.getItem('brasa.backend') !== null) return
      localStorage.setItem('brasa.backend', '"wasm"')
      localStorage.setItem('brasa.language', JSON.stringify(language))
      localStorage.setItem('brasa.current', JSON.stringify(chats[0]!.id))
      for (const [index, chat] of chats.entries()) {
        const updatedAt = Date.now() - index * 1000
        localStorage.setItem(`brasa.chat.${chat.id}`, JSON.stringify({ ...chat, updatedAt }))
      }
    },
    { language, chats },
  )
}
