import { lazy } from '../controls/lazy.tsx'

export const ModelsPage = lazy(async () => (await import('./catalogue-page.tsx')).CataloguePage)
