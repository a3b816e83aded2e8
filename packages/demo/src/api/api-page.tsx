export function ApiPage() {
  return <div class="talk" />
}
