/** Standard base64 with padding, as Go's encoder writes it. */

/** Bytes that a valid base64 text stands for. */
export const base64Length = (text: string): number => {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  return Math.floor((text.length * 3) / 4) - padding
}

const isAlphabet = (code: number): boolean =>
  (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 43 || code === 47

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

/** Index of the first byte that makes the text invalid base64, or -1. Line breaks are no part of it. */
export const base64Problem = (text: string): number => {
  if (text.length % 4 === 0 && alphabet.test(text)) return -1
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (isAlphabet(code)) continue
    // "=" is allowed as the last one or two characters of a group of four only.
    if (code === 61 && index % 4 >= 2 && index >= text.length - 2) continue
    return index
  }
  return text.length - (text.length % 4)
}

/** Bytes of a binary string (one character to a byte) as base64. */
export const encodeBytes = (bytes: Uint8Array): string => {
  let binary = ""
  // In steps, because the argument list of one call is limited.
  for (let start = 0; start < bytes.length; start += 8192) binary += String.fromCharCode(...bytes.subarray(start, start + 8192))
  return btoa(binary)
}

const encoder = new TextEncoder()

/** A text in UTF-8 as base64. */
export const encodeText = (text: string): string => encodeBytes(encoder.encode(text))
