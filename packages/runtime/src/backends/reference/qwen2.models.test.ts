import { openModelInPlace } from '../../engine/model-in-place.ts'
import cases from './fixtures/qwen2.5-coder-0.5b-reference.json' with { type: 'json' }
import { testReferenceCases } from './reference-cases.ts'

testReferenceCases(() => openModelInPlace('qwen2.5-coder-0.5b-instruct'), cases)
