export function ComparePage() {
  return <div class="talk" />
}
