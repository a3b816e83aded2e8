export type * from './api/types.ts'
export { BrasaError, type ErrorCode, type ErrorDetails, isBrasaError } from './errors.ts'
