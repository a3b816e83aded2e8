/** Turns tokens into text as they come. What it has returned stands: text only ever grows. */
export interface StreamDecoder {
  /** The text that `id` completes: empty while a character lacks bytes, and for tokens that are not shown. */
  push(id: number): string
  /** What is left: U+FFFD where the last character is incomplete. The decoder starts afresh afterwards. */
  end(): string
}

/**
 * Decodes the concatenated bytes of tokens as UTF-8. A byte that cannot be part of a character becomes U+FFFD, as
 * https://encoding.spec.whatwg.org/#utf-8-decoder says, as soon as that is certain.
 *
 * @param bytesOf what a token adds to the text
 * @param dropLeadingSpace leaves out a space that the first bytes begin with
 */
export function createStreamDecoder(
  bytesOf: (id: number) => Uint8Array,
  dropLeadingSpace: boolean,
): StreamDecoder {
  const options = { ignoreBOM: true }
  let decoder = new TextDecoder('utf-8', options)
  let atStart = true

  return {
    push(id) {
      let bytes = bytesOf(id)
      if (bytes.length === 0) return ''
      if (atStart && dropLeadingSpace && bytes[0] === 0x20) bytes = bytes.subarray(1)
      atStart = false
      return decoder.decode(bytes, { stream: true })
    },
    end() {
      const text = decoder.decode()
      decoder = new TextDecoder('utf-8', options)
      atStart = true
      return text
    },
  }
}
