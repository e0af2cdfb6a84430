import type { Schema } from "@reddwarf/api-types"
import type { GoField, GoPackage } from "./GoSource.ts"

export type Field = Schema.Field

/** One Go package of the API and how its types are named elsewhere. */
export interface ApiPackage {
  /** Go import path, such as `k8s.io/api/core/v1`. */
  readonly path: string
  /** Prefix of the OpenAPI definition name, such as `io.k8s.api.core.v1`. */
  readonly openapi: string
  /** Name of the generated TypeScript module, such as `CoreV1`. */
  readonly module: string
}

export interface Message {
  readonly name: string
  /** As Go prints it in decode errors: `v1.PodSpec`. */
  readonly go: string
  readonly fields: ReadonlyArray<readonly [string, Field]>
  /** Structs whose fields appear at this level in JSON, with their protobuf number (absent for TypeMeta). */
  readonly inline: ReadonlyArray<{ readonly type: string; readonly number?: number }>
  readonly mapType?: string
}

export interface Model {
  readonly packages: ReadonlyArray<{ readonly api: ApiPackage; readonly messages: ReadonlyArray<Message> }>
  /** Enum name (definition name) to its known values. */
  readonly enums: ReadonlyMap<string, ReadonlyArray<string>>
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: "string",
  bool: "bool",
  int: "int64",
  int32: "int32",
  int64: "int64",
  uint32: "int64",
  uint64: "int64",
  float32: "double",
  float64: "double",
  byte: "byte",
  "interface{}": "raw"
}

/** Types with a JSON form of their own. */
const SPECIAL: Readonly<Record<string, string>> = {
  "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "time",
  "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "microTime",
  "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "duration",
  "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "raw",
  "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
  "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intOrString",
  "k8s.io/apimachinery/pkg/runtime.RawExtension": "raw",
  "k8s.io/apimachinery/pkg/types.UID": "string",
  "k8s.io/apimachinery/pkg/types.NodeName": "string",
  "k8s.io/apimachinery/pkg/runtime.Object": "raw",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "raw",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray": "schemaOrArray",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool": "schemaOrBool",
  "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaOrStrings",
  "time.Time": "time"
}

const markerValue = (markers: ReadonlyArray<string>, name: string): string | undefined =>
  markers.find((marker) => marker.startsWith(`${name}=`))?.slice(name.length + 1)

/** Resolves every type of `sources` (package by import path) into messages. */
export const build = (apis: ReadonlyArray<ApiPackage>, sources: ReadonlyMap<string, GoPackage>): Model => {
  const enums = new Map<string, ReadonlyArray<string>>()
  const byPath = new Map(apis.map((api) => [api.path, api]))

  /** `element` is the enum that a string came from, if any. */
  const resolve = (type: string, path: string): { readonly type: string; readonly enum?: string; readonly mapType?: string } => {
    if (type.startsWith("*")) return resolve(type.slice(1), path)
    if (type === "[]byte") return { type: "bytes" }
    if (type.startsWith("[]")) return { type: `[]${resolve(type.slice(2), path).type}` }
    const map = /^map\[([A-Za-z0-9_.]+)\](.+)$/.exec(type)
    if (map?.[2] !== undefined) return { type: `{}${resolve(map[2], path).type}` }
    const primitive = PRIMITIVES[type]
    if (primitive !== undefined) return { type: primitive }
    const [qualifier, local] = type.includes(".") ? type.split(".") : [undefined, type]
    const home = qualifier === undefined ? path : sources.get(path)?.imports.get(qualifier) ?? qualifier
    const special = SPECIAL[`${home}.${local ?? ""}`]
    if (special !== undefined) return { type: special }
    const source = sources.get(home)
    const api = byPath.get(home)
    if (source === undefined || api === undefined || local === undefined) throw new Error(`cannot resolve ${type} in ${path}`)
    if (source.structs.has(local)) return { type: `${api.openapi}.${local}` }
    const named = source.named.get(local)
    if (named === undefined) throw new Error(`unknown type ${local} in ${home}`)
    const underlying = resolve(named.type, home)
    const values = source.constants.get(local)
    if (underlying.type !== "string" || values === undefined || !named.markers.includes("enum")) return underlying
    enums.set(`${api.openapi}.${local}`, values)
    return { ...underlying, enum: `${api.openapi}.${local}` }
  }

  const field = (go: GoField, path: string): Field => {
    const resolved = resolve(go.type, path)
    const number = /^[a-z0-9]+,(\d+)/.exec(go.tags["protobuf"] ?? "")?.[1]
    const omitempty = go.json?.includes(",omitempty") === true || go.json?.includes(",omitzero") === true
    const listType = markerValue(go.markers, "listType")
    const listKeys = go.markers.filter((marker) => marker.startsWith("listMapKey=")).map((marker) => marker.slice(11))
    const patch = go.tags["patchStrategy"] ?? markerValue(go.markers, "patchStrategy")
    const mergeKey = go.tags["patchMergeKey"] ?? markerValue(go.markers, "patchMergeKey")
    const mapType = markerValue(go.markers, "mapType") ?? markerValue(go.markers, "structType")
    const required = go.markers.includes("required") || (!omitempty && !go.markers.includes("optional"))
    return {
      type: resolved.type,
      ...(number === undefined ? {} : { number: Number(number) }),
      ...(required ? { required: true as const } : {}),
      ...(omitempty ? {} : { always: true as const }),
      ...(go.type.startsWith("*") ? { pointer: true as const } : {}),
      ...(patch === undefined ? {} : { patch }),
      ...(mergeKey === undefined ? {} : { mergeKey }),
      ...(listType === undefined ? {} : { listType }),
      ...(listKeys.length === 0 ? {} : { listKeys }),
      ...(mapType === undefined ? {} : { mapType }),
      ...(resolved.enum === undefined ? {} : { enum: resolved.enum })
    }
  }

  const message = (api: ApiPackage, name: string, struct: { readonly fields: ReadonlyArray<GoField>; readonly markers: ReadonlyArray<string> }): Message => {
    const fields: Array<readonly [string, Field]> = []
    const inline: Array<{ type: string; number?: number }> = []
    for (const go of struct.fields) {
      if (go.json === undefined || go.json === "-") continue
      const json = go.json.split(",")[0] ?? ""
      if (json === "" && (go.name === "" || go.json.includes("inline"))) {
        const number = /^[a-z0-9]+,(\d+)/.exec(go.tags["protobuf"] ?? "")?.[1]
        inline.push({ type: resolve(go.type, api.path).type, ...(number === undefined ? {} : { number: Number(number) }) })
      } else fields.push([json, field(go, api.path)])
    }
    const mapType = markerValue(struct.markers, "structType") ?? markerValue(struct.markers, "mapType")
    return {
      name: `${api.openapi}.${name}`,
      go: `${api.path.split("/").at(-1) ?? ""}.${name}`,
      fields,
      inline,
      ...(mapType === undefined ? {} : { mapType })
    }
  }

  const packages = apis.map((api) => {
    const source = sources.get(api.path)
    if (source === undefined) throw new Error(`no source for ${api.path}`)
    const messages = [...source.structs]
      .filter(([name, struct]) => (struct.fields.length === 0 || struct.fields.some((go) => go.json !== undefined)) && SPECIAL[`${api.path}.${name}`] === undefined)
      .map(([name, struct]) => message(api, name, struct))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    return { api, messages }
  })
  return { packages, enums }
}
