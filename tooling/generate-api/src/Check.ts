import type { Message, Model } from "./Model.ts"

/** `kubernetes-schema.json`: OpenAPI definitions without prose. */
export interface SchemaFacts {
  readonly definitions: Readonly<Record<string, { readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>; readonly required?: ReadonlyArray<string> }>>
}

/** `kubernetes-protobuf.json`: message name to `[number, name, label, type]`. */
export interface ProtobufFacts {
  readonly messages: Readonly<Record<string, ReadonlyArray<readonly [number, string, string, string]>>>
}

const flatten = (model: ReadonlyMap<string, Message>, message: Message): ReadonlyArray<Message["fields"][number]> => [
  ...message.inline.flatMap((entry) => {
    const inlined = model.get(entry.type)
    return inlined === undefined ? [] : flatten(model, inlined)
  }),
  ...message.fields
]

/** Every difference between the model and the published facts, one line each. Types that the facts do not list are not compared. */
export const check = (model: Model, schema: SchemaFacts, protobuf: ProtobufFacts): ReadonlyArray<string> => {
  const all = new Map(model.packages.flatMap((entry) => entry.messages.map((message) => [message.name, message] as const)))
  const problems: Array<string> = []
  const compare = (what: string, ours: unknown, theirs: unknown) => {
    const [a, b] = [JSON.stringify(ours ?? null), JSON.stringify(theirs ?? null)]
    if (a !== b) problems.push(`${what}: generated ${a}, published ${b}`)
  }
  for (const message of all.values()) {
    const published = schema.definitions[message.name]
    if (published !== undefined) {
      const fields = new Map(flatten(all, message))
      compare(`${message.name} fields`, [...fields.keys()].sort(), Object.keys(published.properties ?? {}).sort())
      compare(`${message.name} required`, [...fields].filter(([, f]) => f.required).map(([n]) => n).sort(), [...(published.required ?? [])].sort())
      for (const [name, field] of fields) {
        const property = published.properties?.[name]
        if (property === undefined) continue
        compare(`${message.name}.${name} patch strategy`, field.patch, property["x-kubernetes-patch-strategy"])
        compare(`${message.name}.${name} merge key`, field.mergeKey, property["x-kubernetes-patch-merge-key"])
        compare(`${message.name}.${name} list type`, field.listType, property["x-kubernetes-list-type"])
        compare(`${message.name}.${name} list keys`, field.listKeys, property["x-kubernetes-list-map-keys"])
      }
    }
    const wire = protobuf.messages[message.name.replace(/^io\./, "")]
    if (wire !== undefined) {
      const theirs = new Set(wire.map(([number, name]) => `${String(number)} ${name.toLowerCase()}`))
      for (const [name, field] of message.fields) {
        if (field.number === undefined) continue
        if (!theirs.has(`${String(field.number)} ${name.toLowerCase()}`)) problems.push(`${message.name}.${name}: protobuf number ${String(field.number)} is not published`)
      }
    }
  }
  return problems
}
