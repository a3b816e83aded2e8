import { testOperations } from './operations-cases.test-support.ts'

await testOperations('relaxed', { numThreads: 1, numRuns: 15 })
await testOperations('relaxed', { numThreads: 4, numRuns: 15 })
await testOperations('plain', { numThreads: 2, numRuns: 15 })
