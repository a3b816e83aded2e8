// As types.ts, in an app with the AI SDK, whose own types want Node's.
import type { Engine } from '@brasa/runtime'
import { brasa } from '@brasa/runtime/ai-sdk'

export const modelId = (engine: Engine): string => brasa(engine)(engine.model.id).modelId
