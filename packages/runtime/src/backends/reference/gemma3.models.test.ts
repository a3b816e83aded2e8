import { openModelInPlace } from '../../engine/model-in-place.ts'
import cases from './fixtures/gemma3-270m-reference.json' with { type: 'json' }
import { testReferenceCases } from './reference-cases.ts'

testReferenceCases(() => openModelInPlace('gemma-3-270m'), cases)
