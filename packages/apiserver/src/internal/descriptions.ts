/** What is said about types and fields in OpenAPI documents. */
import { brotliDecompressSync } from "node:zlib"
import { packed } from "../generated/descriptions.js"
import { get, isObject, type JsonObject } from "./jsonValue.js"

// Only needed while documents are made, and large: the collector may have it in between.
let kept: WeakRef<JsonObject> | undefined

const all = (): JsonObject => {
  const known = kept?.deref()
  if (known !== undefined) return known
  const unpacked: unknown = JSON.parse(brotliDecompressSync(Buffer.from(packed, "base64")).toString("utf8"))
  const texts = isObject(unpacked) ? unpacked : {}
  kept = new WeakRef(texts)
  return texts
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Texts of one type: its own under the empty name, those of its fields under theirs. */
const textsOf = (definition: string): unknown => {
  const [kind = "", version = "", group = ""] = definition.split(".").toReversed()
  const name = `${capital(version)}${kind}`
  return all()[`${capital(group)}${name}`] ?? all()[name]
}

const text = (definition: string, key: string): string | undefined => {
  const found = get(textsOf(definition), key)
  return typeof found === "string" && found !== "" ? found : undefined
}

/** The description of a type, by its definition name. */
export const ofType = (definition: string): string | undefined => text(definition, "")

/** The description of a field. */
export const ofField = (definition: string, field: string): string | undefined => text(definition, field)
