/** What a test needs of a tab, as one module: the parts of a tab must be the same ones that the tab itself uses. */
export * as locks from './answer-locks.ts'
export * as chats from './chats.ts'
export * as keeping from './keeping.ts'
