/**
 * The parsable output of dladm and ipadm: `:` between fields, a backslash before `:` and `\` inside a field.
 */
export const splitEscaped = (line: string): Array<string> => {
  const fields: Array<string> = []
  let field = ""
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i)
    if (char === "\\" && i + 1 < line.length) {
      i += 1
      field += line.charAt(i)
    } else if (char === ":") {
      fields.push(field)
      field = ""
    } else {
      field += char
    }
  }
  fields.push(field)
  return fields
}

/**
 * A line of `zoneadm list -p`: only `:` is escaped there. A backslash that does not stand before `:` is itself, so a
 * directory name that ends in one cannot be told from an escaped separator; zonepaths of this project never do.
 */
export const splitZoneadm = (line: string): Array<string> => {
  const fields: Array<string> = []
  let field = ""
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i)
    if (char === "\\" && line.charAt(i + 1) === ":") {
      i += 1
      field += ":"
    } else if (char === ":") {
      fields.push(field)
      field = ""
    } else {
      field += char
    }
  }
  fields.push(field)
  return fields
}

/** Lines that hold something. */
export const lines = (text: string): Array<string> => text.split("\n").filter((line) => line !== "")
