/** Responses with these have no body, and a Response with one throws. */
const bodiless = [101, 204, 205, 304]

/** The response with headers that it lacks: what the host says itself stays. */
export function withHeaders(response: Response, added: Readonly<Record<string, string>>): Response {
  const { status, statusText } = response
  // Redirects are the browser's business.
  if (status === 0) return response
  const headers = new Headers(response.headers)
  for (const [name, value] of Object.entries(added)) {
    if (!headers.has(name)) headers.set(name, value)
  }
  return new Response(bodiless.includes(status) ? null : response.body, { status, statusText, headers })
}
