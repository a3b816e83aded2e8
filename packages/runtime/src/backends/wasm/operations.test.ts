import { testOperations } from './operations-cases.test-support.ts'

await testOperations('plain', { numThreads: 1, numRuns: 40 })
await testOperations('plain', { numThreads: 1, numRuns: 10, skippedBytes: 2 ** 31 })
