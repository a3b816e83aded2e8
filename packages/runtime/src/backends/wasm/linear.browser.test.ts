import { testLinears } from './linear-cases.test-support.ts'

testLinears('relaxed', [1, 2, 4], 8)
testLinears('plain', [1, 2, 4], 5)
