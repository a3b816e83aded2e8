import { testRepack } from './repack-cases.test-support.ts'

await testRepack('plain', 15)
