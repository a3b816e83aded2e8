import { lazy } from '../controls/lazy.tsx'

export const ComparePage = lazy(async () => (await import('./comparison-view.tsx')).ComparisonView)
