import { promisifyRequest } from 'idb-keyval'
import type { Chat } from './conversation.ts'
import { mergeChats } from './merge.ts'
import { reviveChat } from './revive.ts'

/** Chats in IndexedDB, one record a chat, so that tabs which write different chats never meet. */
export interface ChatStore {
  all(): Promise<readonly Chat[]>
  read(ids: readonly string[]): Promise<readonly Chat[]>
  /** Writes each chat merged with what another tab stored of it; returns what was written. All or none. */
  write(chats: readonly Chat[]): Promise<readonly Chat[]>
  remove(ids: readonly string[]): Promise<void>
  close(): void
}

/**
 * `missing`: the browser gives no database. `full`: no room. `newer`: a newer page has changed the database. `lost`: it was
 * deleted or closed under the page, and opening it again helps.
 */
export type StoreTrouble = 'missing' | 'full' | 'newer' | 'lost'

const databaseName = 'brasa.chats'
const version = 1
const storeName = 'chats'

/** Rejects with what `storeTrouble` tells apart. `onEnd` is called once, when the store has ended by itself. */
export async function openChatStore(onEnd: (trouble: StoreTrouble) => void): Promise<ChatStore> {
  const request = indexedDB.open(databaseName, version)
  request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'id' })
  const database = await promisifyRequest(request)
  let ended = false
  const end = (trouble: StoreTrouble) => {
    database.close()
    if (!ended) onEnd(trouble)
    ended = true
  }
  database.onclose = () => end('lost')
  // Another tab deletes the database, or a newer page gives it another shape: neither should wait for this one.
  database.onversionchange = ({ newVersion }) => end(newVersion === null ? 'lost' : 'newer')

  async function transact<T>(mode: IDBTransactionMode, use: (records: IDBObjectStore) => Promise<T>) {
    const transaction = database.transaction(storeName, mode)
    const done = promisifyRequest(transaction)
    done.catch(() => {})
    try {
      const result = await use(transaction.objectStore(storeName))
      await done
      return result
    } catch (error) {
      try {
        transaction.abort()
      } catch {
        // It had ended by itself.
      }
      // Of a transaction that was aborted only it knows why.
      throw transaction.error ?? error
    }
  }

  const revived = (records: readonly unknown[]) => records.flatMap((record) => reviveChat(record) ?? [])

  return {
    all: () => transact('readonly', async (records) => revived(await promisifyRequest(records.getAll()))),
    read: (ids) =>
      transact('readonly', async (records) =>
        revived(await Promise.all(ids.map((id) => promisifyRequest(records.get(id))))),
      ),
    write: (chats) =>
      transact('readwrite', (records) =>
        Promise.all(
          chats.map(async (chat) => {
            const stored = reviveChat(await promisifyRequest(records.get(chat.id)))
            const merged = stored === undefined ? chat : mergeChats(stored, chat)
            await promisifyRequest(records.put(merged))
            return merged
          }),
        ),
      ),
    remove: (ids) =>
      transact('readwrite', async (records) => {
        await Promise.all(ids.map((id) => promisifyRequest(records.delete(id))))
      }),
    close: () => {
      ended = true
      database.close()
    },
  }
}

export function storeTrouble(error: unknown): StoreTrouble {
  const { name } = error as Partial<DOMException>
  if (name === 'QuotaExceededError') return 'full'
  if (name === 'VersionError') return 'newer'
  // `NotFoundError`: the database is there without its store.
  if (name === 'InvalidStateError' || name === 'AbortError') return 'lost'
  return 'missing'
}
