import cases from './fixtures/qwen2.5-coder-0.5b-reference.json' with { type: 'json' }
import { testReferenceCases } from './reference-cases.ts'

testReferenceCases('qwen2.5-coder-0.5b-instruct', cases)
