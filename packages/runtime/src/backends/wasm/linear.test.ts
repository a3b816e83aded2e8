import { testLinears } from './linear-cases.ts'

testLinears('plain', [1], 12)
