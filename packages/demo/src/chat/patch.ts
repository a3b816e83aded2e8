/**
 * Makes `target` hold what `source` holds and leaves nodes that stay the same where they are: an answer that grows keeps the
 * reader's selection, and only its end is laid out anew. Takes the nodes out of `source`.
 */
export function patchChildren(target: Node, source: Node): void {
  let old = target.firstChild
  let next = source.firstChild
  while (next !== null) {
    const following = next.nextSibling
    if (old === null) target.appendChild(next)
    else {
      const after: ChildNode | null = old.nextSibling
      if (!patchNode(old, next)) target.replaceChild(next, old)
      old = after
    }
    next = following
  }
  while (old !== null) {
    const after: ChildNode | null = old.nextSibling
    target.removeChild(old)
    old = after
  }
}

/** False if the one cannot become the other. */
function patchNode(old: Node, next: Node): boolean {
  if (old instanceof Text && next instanceof Text) {
    if (next.data.startsWith(old.data)) appendData(old, next.data.slice(old.length))
    else old.data = next.data
    return true
  }
  if (!(old instanceof Element && next instanceof Element)) return false
  if (old.tagName !== next.tagName || !haveSameAttributes(old, next)) return false
  patchChildren(old, next)
  return true
}

/** Adds text to the end of an element, to its last text if it ends with one. */
export function appendText(target: Node, text: string): void {
  if (target.lastChild instanceof Text) appendData(target.lastChild, text)
  else if (text !== '') target.appendChild(new Text(text))
}

function appendData(node: Text, text: string): void {
  if (text !== '') node.appendData(text)
}

function haveSameAttributes(old: Element, next: Element): boolean {
  return (
    old.attributes.length === next.attributes.length &&
    [...next.attributes].every(({ name, value }) => old.getAttribute(name) === value)
  )
}
