export function ModelsPage() {
  return <div class="talk" />
}
