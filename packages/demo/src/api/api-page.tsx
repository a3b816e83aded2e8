import { createPart, LazyPart } from '../controls/lazy-part.tsx'

const part = createPart(async () => (await import('./console.tsx')).Console)

export function ApiPage() {
  return <LazyPart part={part} />
}
