import { createHash } from "node:crypto"

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** `length` base-32 letters (5 bits each) of the SHA-256 of the parts; the encoding of the parts is unambiguous. */
export const identityHash = (parts: ReadonlyArray<string | number>, length: number): string => {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest()
  let text = ""
  for (let bit = 0; text.length < length; bit += 5) {
    const pair = digest.readUInt16BE(bit >> 3)
    text += alphabet.charAt((pair >> (11 - (bit & 7))) & 31)
  }
  return text
}
