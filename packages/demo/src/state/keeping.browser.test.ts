import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { ask, newChat, updateAnswer } from './conversation.ts'

type Tab = typeof import('./tab.test-support.ts') & { readonly window: typeof globalThis }

/** A frame has modules, a database connection and locks of its own, as a tab has; what ends with it ends as in a crash. */
async function openTab(prepare: (window: typeof globalThis) => void = () => {}): Promise<Tab> {
  const frame = document.body.appendChild(document.createElement('iframe'))
  const window = frame.contentWindow as unknown as typeof globalThis
  prepare(window)
  const { href } = new URL('./tab.test-support.ts', import.meta.url)
  const tab: Tab = { window, ...(await window.eval(`import(${JSON.stringify(href)})`)) }
  await tab.keeping.keepChats()
  return tab
}

function closeTabs(): void {
  for (const frame of document.querySelectorAll('iframe')) frame.remove()
}

afterEach(closeTabs)

const question = (id: string) => ({ role: 'user' as const, id, content: `Question ${id}` })
const chat = (id: string) => ask(newChat(id, 1), question(`${id}-q`), `${id}-a`, 1)
const idsOf = ({ chats }: Tab) => chats.chats.value.map(({ id }) => id).sort()

async function settledRequest<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** What lies in the database, read past the page. */
async function stored(): Promise<
  Map<string, { messages: { id: string; content: string; state?: string }[] }>
> {
  const request = indexedDB.open('brasa.chats', 1)
  // It is the page that makes it.
  request.onupgradeneeded = () => request.transaction!.abort()
  const database = await settledRequest(request)
  try {
    const records = await settledRequest(database.transaction('chats').objectStore('chats').getAll())
    return new Map(records.map((record) => [record.id, record]))
  } finally {
    database.close()
  }
}

beforeAll(async () => {
  localStorage.clear()
  await settledRequest(indexedDB.deleteDatabase('brasa.chats'))
})

test('chats of localStorage move to the database, and only those that arrived leave it', async () => {
  const legacy = {
    id: 'old',
    updatedAt: 3,
    messages: [
      { role: 'user', id: 'old-q', content: 'Before' },
      { role: 'assistant', id: 'old-a', content: 'Half', state: 'streaming' },
    ],
  }
  localStorage.setItem('brasa.chat.old', JSON.stringify(legacy))
  localStorage.setItem('brasa.chat.odd', '{"id":')
  const tab = await openTab()
  expect(tab.keeping.keeping.value).toBe('kept')
  expect(localStorage.getItem('brasa.chat.old')).toBeNull()
  expect(localStorage.getItem('brasa.chat.odd')).toBe('{"id":')
  const record = (await stored()).get('old')!
  expect(record.messages.map(({ content, state }) => [content, state])).toEqual([
    ['Before', undefined],
    ['Half', 'stopped'],
  ])
  expect(idsOf(tab)).toEqual(['old'])
})

test('an answer is written while it streams, and a page that comes after a crash has it', async () => {
  const tab = await openTab()
  tab.chats.putChat(chat('streamed'))
  const change = { content: 'Once upon', state: 'streaming', changedAt: 5 } as const
  tab.chats.changeChat('streamed', (old) => updateAnswer(old, 'streamed-a', change))
  await vi.waitFor(async () =>
    expect((await stored()).get('streamed')?.messages[1]?.content).toBe('Once upon'),
  )
  closeTabs()
  const next = await openTab()
  expect(next.chats.chats.value.find(({ id }) => id === 'streamed')?.messages[1]).toMatchObject({
    content: 'Once upon',
    state: 'stopped',
  })
})

test('an answer that another tab writes goes on here, and is stopped when that tab is gone', async () => {
  const writer = await openTab()
  writer.locks.holdAnswer('live-a')
  writer.chats.putChat(updateAnswer(chat('live'), 'live-a', { state: 'streaming', changedAt: 1 }))
  await writer.keeping.writeChats()
  const reader = await openTab()
  const seen = () => reader.chats.chats.value.find(({ id }) => id === 'live')?.messages[1]
  expect(seen()).toMatchObject({ state: 'streaming' })
  writer.chats.changeChat('live', (old) => updateAnswer(old, 'live-a', { content: 'More', changedAt: 2 }))
  await vi.waitFor(() => expect(seen()).toMatchObject({ content: 'More', state: 'streaming' }))
  document.querySelector('iframe')!.remove()
  await vi.waitFor(() => expect(seen()).toMatchObject({ content: 'More', state: 'stopped' }))
})

test('two tabs that write in one chat at once both keep every message', async () => {
  const left = await openTab()
  left.chats.putChat(chat('shared'))
  await left.keeping.writeChats()
  const right = await openTab()
  left.chats.changeChat('shared', (old) => ask(old, question('left'), 'left-a', 2))
  right.chats.changeChat('shared', (old) => ask(old, question('right'), 'right-a', 3))
  await Promise.all([left.keeping.writeChats(), right.keeping.writeChats()])
  const all = ['left', 'left-a', 'right', 'right-a', 'shared-a', 'shared-q']
  const messages = (tab: Tab) =>
    tab.chats.chats.value.find(({ id }) => id === 'shared')!.messages.map(({ id }) => id)
  await vi.waitFor(() => {
    expect(messages(left).toSorted()).toEqual(all)
    expect(messages(right)).toEqual(messages(left))
  })
  expect((await stored()).get('shared')!.messages.map(({ id }) => id)).toEqual(messages(left))
})

test('what one tab deletes leaves the others, and comes back with Undo', async () => {
  const left = await openTab()
  left.chats.putChat(chat('deleted'))
  await left.keeping.writeChats()
  const right = await openTab()
  const kept = left.chats.chats.value.find(({ id }) => id === 'deleted')!
  left.chats.removeChat('deleted')
  await vi.waitFor(() => expect(idsOf(right)).not.toContain('deleted'))
  expect((await stored()).has('deleted')).toBe(false)
  left.chats.putChat(kept)
  await vi.waitFor(() => expect(idsOf(right)).toContain('deleted'))
})

test('a database that is deleted while the page is open is written again', async () => {
  const tab = await openTab()
  const before = idsOf(tab)
  expect(before.length).toBeGreaterThan(1)
  await settledRequest(indexedDB.deleteDatabase('brasa.chats'))
  await vi.waitFor(async () => expect([...(await stored()).keys()].sort()).toEqual(before))
  tab.chats.putChat(chat('after'))
  await vi.waitFor(async () => expect((await stored()).has('after')).toBe(true))
  expect(tab.window.dispatchEvent(new Event('beforeunload', { cancelable: true }))).toBe(true)
  expect(tab.keeping.keeping.value).toBe('kept')
})

test('a store without room keeps the chats here, takes what fits, and all of it once there is room', async () => {
  const tab = await openTab()
  const { prototype } = tab.window.IDBObjectStore
  const put = prototype.put
  const full = vi.spyOn(prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    value: { id: string },
  ) {
    if (value.id === 'large') throw new DOMException('No room.', 'QuotaExceededError')
    return put.call(this, value)
  })
  try {
    tab.chats.putChats([chat('large'), chat('little')])
    await vi.waitFor(() => expect(tab.keeping.keeping.value).toBe('full'))
    expect(idsOf(tab)).toContain('large')
    await vi.waitFor(async () => expect((await stored()).has('little')).toBe(true))
    expect((await stored()).has('large')).toBe(false)
  } finally {
    full.mockRestore()
  }
  await tab.keeping.tryKeeping()
  expect(tab.keeping.keeping.value).toBe('kept')
  expect((await stored()).has('large')).toBe(true)
})

test('a browser that refuses the database leaves the chats in memory, and trying again keeps them', async () => {
  let isRefused = true
  localStorage.setItem('brasa.chat.waiting', JSON.stringify(chat('waiting')))
  const tab = await openTab(({ IDBFactory: { prototype } }) => {
    const open = prototype.open
    prototype.open = function (...named) {
      if (isRefused) throw new DOMException('Not in this window.', 'SecurityError')
      return open.apply(this, named)
    }
  })
  expect(tab.keeping.keeping.value).toBe('missing')
  tab.chats.putChat(chat('held'))
  await tab.keeping.writeChats()
  expect(idsOf(tab)).toEqual(['held', 'waiting'])
  expect(localStorage.getItem('brasa.chat.waiting')).not.toBeNull()
  isRefused = false
  await tab.keeping.tryKeeping()
  expect(tab.keeping.keeping.value).toBe('kept')
  expect((await stored()).has('held')).toBe(true)
  expect(localStorage.getItem('brasa.chat.waiting')).toBeNull()
})

test.each(['opens its database', 'writes'])(
  'a newer page that comes while this one %s is told of',
  async (what) => {
    const openNewer = () => settledRequest(indexedDB.open('brasa.chats', 2))
    let newer: Promise<IDBDatabase> | undefined
    const comesWith = (prototype: object, method: string) => {
      const original = (prototype as Record<string, (...given: unknown[]) => unknown>)[method]!
      Object.defineProperty(prototype, method, {
        configurable: true,
        value(...given: unknown[]) {
          newer ??= openNewer()
          return original.apply(this, given)
        },
      })
    }
    const tab = await openTab(({ IDBObjectStore }) => {
      if (what === 'opens its database') comesWith(IDBObjectStore.prototype, 'getAll')
    })
    if (what === 'writes') {
      comesWith(tab.window.IDBObjectStore.prototype, 'put')
      tab.chats.putChat(chat('late'))
    }
    ;(await vi.waitFor(() => newer ?? Promise.reject(new Error('nothing was read or written')))).close()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(tab.keeping.keeping.value).toBe('newer')
    closeTabs()
    await settledRequest(indexedDB.deleteDatabase('brasa.chats'))
  },
)

test('a database of a newer page is left alone', async () => {
  const tab = await openTab()
  const newer = await settledRequest(indexedDB.open('brasa.chats', 2))
  await vi.waitFor(() => expect(tab.keeping.keeping.value).toBe('newer'))
  // What is in the store does not go with the tab; what comes after it does.
  expect(tab.keeping.numUnkept()).toBe(0)
  tab.chats.putChat(chat('unkept'))
  await tab.keeping.writeChats()
  expect(tab.keeping.numUnkept()).toBe(1)
  expect(tab.window.dispatchEvent(new Event('beforeunload', { cancelable: true }))).toBe(false)
  const late = await openTab()
  expect(late.keeping.keeping.value).toBe('newer')
  late.chats.putChat(chat('late'))
  await late.keeping.writeChats()
  expect(idsOf(late)).toEqual(['late'])
  newer.close()
  await settledRequest(indexedDB.deleteDatabase('brasa.chats'))
})
