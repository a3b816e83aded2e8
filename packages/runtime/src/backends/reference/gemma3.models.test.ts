import cases from './fixtures/gemma3-270m-reference.json' with { type: 'json' }
import { testReferenceCases } from './reference-cases.ts'

testReferenceCases('gemma-3-270m', cases)
