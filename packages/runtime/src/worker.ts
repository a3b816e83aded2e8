import { expose } from 'comlink'
import { loadEngine } from './engine/load.ts'
import { createEngineService } from './engine/service.ts'
import { installErrorTransfer } from './error-transfer.ts'

installErrorTransfer()
expose(createEngineService(loadEngine))
