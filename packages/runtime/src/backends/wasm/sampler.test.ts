import { testSampler } from './sampler-cases.test-support.ts'

await testSampler('plain', 400)
