import { testLinears } from './linear-cases.ts'

testLinears('relaxed', [1, 2, 4], 8)
testLinears('plain', [1, 2, 4], 5)
