/** Text without marks that turn the order of what follows around: what somebody reads is what was written. */
export function inOrder(text: string): string {
  return text.replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '')
}

/** Text for HTML, in its order. */
export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return inOrder(text).replaceAll(/[&<>"']/g, (char) => entities[char] ?? char)
}
