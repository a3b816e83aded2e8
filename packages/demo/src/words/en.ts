import type { ImportProblem } from '../chats/chat-json.ts'

/** Every word of the page in English, a section a room. Where a number is in it, the words are a function of the number. */
export const en = {
  app: {
    chat: 'Chat',
    models: 'Models',
    onnx: 'ONNX',
    api: 'API',
    compare: 'Compare',
    benchmark: 'Benchmark',
    keys: 'Keys',
    partsOfThePage: 'Parts of the page',
  },
  chats: {
    newChat: 'New chat',
    search: 'Search chats',
    allChats: 'All chats',
    untitled: 'Chat without words',
    today: 'Today',
    lastSevenDays: 'Last seven days',
    older: 'Older',
    found: (chats: number) =>
      chats === 0 ? 'No chat found' : chats === 1 ? '1 chat found' : `${chats} chats found`,
    actsOf: (title: string) => `More for chat: ${title}`,
    titleOf: (title: string) => `New title for chat: ${title}`,
    rename: 'Rename',
    delete: 'Delete',
    deleted: (title: string) => `“${title}” was deleted.`,
    deletedMany: (chats: number) => `${chats} chats were deleted.`,
    undo: 'Undo',
    close: 'Close',
    exportAll: 'Export all chats',
    exportJson: 'Export as JSON',
    exportMarkdown: 'Export as Markdown',
    import: 'Import chats',
    importMore: 'Import more',
    chooseAnother: 'Choose another file',
    imported: (added: number, known: number) => {
      const here = known === 0 ? '' : ` ${known === 1 ? '1 chat was' : `${known} chats were`} here already.`
      if (added === 0) return `Nothing new was found.${here}`
      return `${added === 1 ? '1 chat was' : `${added} chats were`} imported.${here}`
    },
    importProblem: (file: string, problem: ImportProblem) => {
      const none = 'No chat was imported.'
      switch (problem.kind) {
        case 'too-large':
          return `${file} is larger than 200 MB. ${none}`
        case 'not-json':
          return `${file} is not JSON, or was cut off. ${none}`
        case 'not-chats':
          return `${file} holds no chats that were exported here. ${none}`
        case 'newer':
          return `${file} was written by a newer version of this page. Reload the page and import it again.`
        case 'damaged':
          return problem.message === undefined
            ? `In ${file}, chat ${problem.chat} has no valid “${problem.field}”. ${none}`
            : `In ${file}, message ${problem.message} of chat ${problem.chat} has no valid “${problem.field}”. ${none}`
      }
    },
    you: 'You',
    answer: 'Answer',
    edit: 'Edit',
    editQuestion: 'Edit question',
    questionInOtherWords: 'Question in other words',
    editKeepsBoth: 'Your first words stay on a branch of their own.',
    cancel: 'Cancel',
    send: 'Send',
    previousVersion: 'Previous version',
    nextVersion: 'Next version',
    placeOf: (place: number, of: number) => `${place} of ${of}`,
    branch: 'Branch',
    branchHint: 'Go on from here in a new chat',
    branchOf: (title: string) => `${title} (branch)`,
    notKept:
      'This browser gives the page no storage for chats, as some private windows do. They stay in this tab and are gone when it closes.',
    storeFull:
      'Storage is full. What is new in your chats is only in this tab: remove a model or old chats, or export them.',
    storeNewer:
      'A newer version of this page keeps the chats in another way. Reload to get it; what is only in this tab can be exported first.',
    reload: 'Reload',
    tryAgain: 'Try again',
    removeModels: 'Remove models',
    deleteOldest: (chats: number) =>
      chats === 1 ? 'Delete the oldest chat' : `Delete the ${chats} oldest chats`,
    keyNew: 'New chat',
    keySearch: 'Search chats',
    keyRename: 'Rename the chat',
    keyDelete: 'Delete the chat, in the list',
    keyUndo: 'Bring back what was just deleted',
    keyList: 'From chat to chat, in the list',
  },
}
