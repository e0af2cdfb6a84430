/** A field of a Go struct as written in the source. */
export interface GoField {
  /** Empty for an embedded field. */
  readonly name: string
  readonly type: string
  readonly json: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly markers: ReadonlyArray<string>
}

/** What one Go package declares, as far as the API needs it. */
export interface GoPackage {
  readonly structs: ReadonlyMap<string, { readonly fields: ReadonlyArray<GoField>; readonly markers: ReadonlyArray<string> }>
  /** Named types that are not structs: `type PodPhase string`, `type ResourceList map[ResourceName]resource.Quantity`. */
  readonly named: ReadonlyMap<string, { readonly type: string; readonly markers: ReadonlyArray<string> }>
  /** String constants by their declared type. */
  readonly constants: ReadonlyMap<string, ReadonlyArray<string>>
  /** Import alias to import path. */
  readonly imports: ReadonlyMap<string, string>
}

const parseTags = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...text.matchAll(/([A-Za-z]+):"([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]))

const marker = (line: string): string | undefined => /^\/\/ ?\+(\S.*)$/.exec(line)?.[1]

/** Parses the declarations of one Go source file. The API sources are gofmt-ed, one field to a line; that is relied on. */
export const parse = (source: string): GoPackage => {
  const structs = new Map<string, { fields: ReadonlyArray<GoField>; markers: ReadonlyArray<string> }>()
  const named = new Map<string, { type: string; markers: ReadonlyArray<string> }>()
  const constants = new Map<string, Array<string>>()
  const imports = new Map<string, string>()
  let markers: Array<string> = []
  let open: { name: string; fields: Array<GoField>; markers: ReadonlyArray<string> } | undefined
  let constantType = ""
  let block: "" | "import" | "const" = ""

  for (const raw of source.split("\n")) {
    const line = raw.trim()
    const found = marker(line)
    if (found !== undefined) {
      markers.push(found)
      continue
    }
    if (line.startsWith("//")) continue
    if (open !== undefined) {
      if (line === "}") {
        structs.set(open.name, { fields: open.fields, markers: open.markers })
        open = undefined
        markers = []
        continue
      }
      const field = /^(?:([A-Za-z_0-9]+)\s+)?([*[\]A-Za-z0-9_.{}]+)\s*(?:`([^`]*)`)?(?:\s*\/\/.*)?$/.exec(line)
      if (field?.[2] !== undefined && line !== "") {
        const tags = parseTags(field[3] ?? "")
        open.fields.push({ name: field[1] ?? "", type: field[2], json: tags["json"], tags, markers })
      }
      if (line !== "") markers = []
      continue
    }
    if (block !== "") {
      if (line === ")") {
        block = ""
        constantType = ""
      } else if (block === "import") {
        const entry = /^(?:([A-Za-z0-9_]+)\s+)?"([^"]+)"$/.exec(line)
        if (entry?.[2] !== undefined) imports.set(entry[1] ?? entry[2].split("/").at(-1) ?? "", entry[2])
      } else {
        const entry = /^[A-Za-z0-9_]+(?:\s+([A-Za-z0-9_]+))?\s*=\s*"([^"]*)"/.exec(line)
        if (entry?.[2] !== undefined) {
          constantType = entry[1] ?? constantType
          const values = constants.get(constantType) ?? []
          if (entry[1] !== undefined && !values.includes(entry[2])) constants.set(constantType, [...values, entry[2]])
        }
      }
      continue
    }
    if (line === "import (") block = "import"
    else if (line === "const (") block = "const"
    else {
      const struct = /^type ([A-Za-z0-9_]+) struct ?\{(\})?/.exec(line)
      const other = /^type ([A-Za-z0-9_]+) ([*[\]A-Za-z0-9_.]+)$/.exec(line)
      const single = /^const [A-Za-z0-9_]+ ([A-Za-z0-9_]+) = "([^"]*)"/.exec(line)
      if (struct?.[1] !== undefined) {
        if (struct[2] === undefined) open = { name: struct[1], fields: [], markers }
        else structs.set(struct[1], { fields: [], markers })
      } else if (other?.[1] !== undefined && other[2] !== undefined) named.set(other[1], { type: other[2], markers })
      else if (single?.[1] !== undefined && single[2] !== undefined) {
        constants.set(single[1], [...(constants.get(single[1]) ?? []), single[2]])
      }
    }
    if (line !== "") markers = []
  }
  return { structs, named, constants, imports }
}
