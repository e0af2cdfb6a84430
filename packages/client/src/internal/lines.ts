/**
 * Cuts chunks of bytes into lines and decodes each whole line, so that a character split over two chunks survives.
 *
 * The result gives the complete lines of a chunk, without empty ones, or `undefined` once a line exceeds `maxBytes`.
 */
export const makeLineSplitter = (maxBytes: number): (chunk: Uint8Array) => ReadonlyArray<string> | undefined => {
  const decoder = new TextDecoder()
  let parts: Array<Uint8Array> = []
  let length = 0
  return (chunk) => {
    const lines: Array<string> = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const tail = chunk.subarray(start, end)
      if (length + tail.length > maxBytes) return undefined
      const line = decoder.decode(parts.length === 0 ? tail : concat([...parts, tail], length + tail.length))
      if (line.trim() !== "") lines.push(line)
      parts = []
      length = 0
      start = end + 1
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start))
      length += chunk.length - start
      if (length > maxBytes) return undefined
    }
    return lines
  }
}

/** Joins chunks into one array of `length` bytes. */
export const concat = (parts: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
