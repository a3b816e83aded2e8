import { testLinears } from './linear-cases.test-support.ts'

testLinears('plain', [1], 12)
