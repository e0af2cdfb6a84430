/** Paths and operations of a group version, as OpenAPI describes them. */
import type { Kind } from "@reddwarf/api-types"
import * as ServedSubresources from "../discovery/ServedSubresources.js"
import * as openApiConnect from "./openApiConnect.js"
import { definitionOf, type JsonSchema, listDefinition, patchDefinition, reference } from "./openApiSchemas.js"

/** Definition of the body of a DELETE. */
export const deleteOptions = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
/** Definition of an answer without an object. */
export const status = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"

const query = (name: string, type: string): JsonSchema => ({
  name,
  in: "query",
  schema: { type, uniqueItems: true }
})

const path = (name: string): JsonSchema => ({ name, in: "path", required: true, schema: { type: "string", uniqueItems: true } })

const pretty = query("pretty", "string")
const dryRun = query("dryRun", "string")
const writeParameters = [dryRun, query("fieldManager", "string"), query("fieldValidation", "string")]
const deleteParameters = [
  dryRun,
  query("gracePeriodSeconds", "integer"),
  query("orphanDependents", "boolean"),
  query("propagationPolicy", "string")
]
const listParameters = [
  query("allowWatchBookmarks", "boolean"),
  query("continue", "string"),
  query("fieldSelector", "string"),
  query("labelSelector", "string"),
  query("limit", "integer"),
  query("resourceVersion", "string"),
  query("resourceVersionMatch", "string"),
  query("sendInitialEvents", "boolean"),
  query("timeoutSeconds", "integer"),
  query("watch", "boolean")
]
const logParameters = [
  query("container", "string"),
  query("follow", "boolean"),
  query("limitBytes", "integer"),
  query("previous", "boolean"),
  query("sinceSeconds", "integer"),
  query("stream", "string"),
  query("tailLines", "integer"),
  query("timestamps", "boolean")
]

const bodyTypes = ["application/json", "application/yaml"]
const patchTypes = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"]
// Custom resources have no merge keys, so clients must not send strategic merge patches.
const patchTypesOf = ({ custom }: Kind.Kind): ReadonlyArray<string> =>
  custom === undefined ? patchTypes : patchTypes.filter((type) => type !== "application/strategic-merge-patch+json")
const listTypes = [...bodyTypes, "application/json;stream=watch"]

const content = (types: ReadonlyArray<string>, schema: JsonSchema): JsonSchema =>
  Object.fromEntries(types.map((type) => [type, { schema }]))

const requestBody = (definition: string, types: ReadonlyArray<string> = ["*/*"], required = true): JsonSchema => ({
  content: content(types, reference(definition)),
  ...(required ? { required } : {})
})

const response = (definition: string, types: ReadonlyArray<string>): JsonSchema => ({
  description: "OK",
  content: content(types, reference(definition))
})

const responses = (definition: string, codes: ReadonlyArray<string>, types: ReadonlyArray<string> = bodyTypes): JsonSchema => ({
  ...Object.fromEntries(codes.map((code) => [code, response(definition, types)])),
  "401": { description: "Unauthorized" }
})

/** What an operation is about: the kind in its extension may be that of a subresource. */
interface Target {
  readonly kind: Kind.Kind
  /** Kind of the body. */
  readonly name: string
  readonly group: string
  readonly version: string
  readonly definition: string
  /** Distinguishes the operations of one kind. */
  readonly suffix: string
}

const operation = (target: Target, action: string, rest: JsonSchema): JsonSchema => ({
  tags: [`${target.group === "" ? "core" : target.group.split(".")[0] ?? ""}_${target.kind.version}`],
  operationId: `${action}${target.kind.group === "" ? "Core" : target.kind.group.replaceAll(/[^a-zA-Z]/g, "")}${
    target.kind.version.toUpperCase()
  }${target.suffix}`,
  ...rest,
  "x-kubernetes-action": action,
  "x-kubernetes-group-version-kind": { group: target.group, kind: target.name, version: target.version }
})

const read = (target: Target): JsonSchema =>
  operation(target, "get", { responses: responses(target.definition, ["200"]) })

const replace = (target: Target): JsonSchema =>
  operation(target, "put", {
    parameters: writeParameters,
    requestBody: requestBody(target.definition),
    responses: responses(target.definition, ["200", "201"])
  })

const patch = (target: Target): JsonSchema =>
  operation(target, "patch", {
    parameters: [...writeParameters, query("force", "boolean")],
    requestBody: requestBody(patchDefinition, patchTypesOf(target.kind)),
    responses: responses(target.definition, ["200", "201"])
  })

const create = (target: Target): JsonSchema =>
  operation(target, "post", {
    parameters: writeParameters,
    requestBody: requestBody(target.definition),
    responses: responses(target.definition, ["200", "201", "202"])
  })

const list = (target: Target): JsonSchema =>
  operation(target, "list", {
    parameters: listParameters,
    responses: responses(listDefinition(target.kind), ["200"], listTypes)
  })

const remove = (target: Target): JsonSchema =>
  operation(target, "delete", {
    parameters: deleteParameters,
    requestBody: requestBody(deleteOptions, ["*/*"], false),
    responses: responses(status, ["200", "202"])
  })

const removeCollection = (target: Target): JsonSchema =>
  operation(target, "deletecollection", {
    parameters: [...deleteParameters, ...listParameters.filter(({ name }) => name !== "watch" && name !== "allowWatchBookmarks")],
    requestBody: requestBody(deleteOptions, ["*/*"], false),
    responses: responses(status, ["200"])
  })

const only = (operations: ReadonlyArray<readonly [boolean, string, JsonSchema]>): JsonSchema =>
  Object.fromEntries(operations.filter(([wanted]) => wanted).map(([, method, value]) => [method, value]))

const targetOf = (kind: Kind.Kind): Target => ({
  kind,
  name: kind.kind,
  group: kind.group,
  version: kind.version,
  definition: kind.schema,
  suffix: `${kind.namespaced ? "Namespaced" : ""}${kind.kind}`
})

const subresourceTarget = (kind: Kind.Kind, sub: Kind.Subresource): Target => {
  const own = sub.group === undefined || sub.group === kind.group
  const definition = own ? kind.schema.replace(/[^.]+$/, sub.kind) : undefined
  return {
    kind,
    name: sub.kind,
    group: sub.group ?? kind.group,
    version: sub.version ?? kind.version,
    definition: own && kind.custom !== undefined
      ? kind.schema
      : definition !== undefined && definitionOf(definition) !== undefined
      ? definition
      : status,
    suffix: `${targetOf(kind).suffix}${sub.name.charAt(0).toUpperCase()}${sub.name.slice(1)}`
  }
}

const subresourcePath = (kind: Kind.Kind, sub: Kind.Subresource, parameters: ReadonlyArray<JsonSchema>): JsonSchema => {
  const target = subresourceTarget(kind, sub)
  const has = (verb: Kind.Verb) => sub.verbs.includes(verb)
  if (sub.name === "log") {
    return {
      parameters: [...parameters, pretty],
      get: operation(target, "get", {
        parameters: logParameters,
        responses: { "200": { description: "OK", content: { "text/plain": { schema: { type: "string" } } } } }
      })
    }
  }
  return {
    parameters: [...parameters, pretty],
    ...only([
      [has("get"), "get", read(target)],
      [has("update"), "put", replace(target)],
      [has("create"), "post", create(target)],
      [has("patch"), "patch", patch(target)]
    ])
  }
}

/** The paths of one kind. */
export const pathsOf = (kind: Kind.Kind): Readonly<Record<string, JsonSchema>> => {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`
  const scope = kind.namespaced ? [path("namespace")] : []
  const target = targetOf(kind)
  const has = (verb: Kind.Verb) => kind.verbs.includes(verb)
  const item = [path("name"), ...scope]
  const paths: Array<readonly [string, JsonSchema]> = [
    [collection, {
      parameters: [...scope, pretty],
      ...only([
        [has("list"), "get", list(target)],
        [has("create"), "post", create(target)],
        [has("deletecollection"), "delete", removeCollection(target)]
      ])
    }]
  ]
  if (has("get")) {
    paths.push([`${collection}/{name}`, {
      parameters: [...item, pretty],
      ...only([
        [true, "get", read(target)],
        [has("update"), "put", replace(target)],
        [has("delete"), "delete", remove(target)],
        [has("patch"), "patch", patch(target)]
      ])
    }])
  }
  if (kind.namespaced && has("list")) {
    const everywhere = { ...target, suffix: `${kind.kind}ForAllNamespaces` }
    paths.push([`${root}/${kind.plural}`, { parameters: [pretty], get: list(everywhere) }])
  }
  for (const sub of ServedSubresources.of(kind)) {
    if (openApiConnect.isConnect(sub.name)) {
      const connected = subresourceTarget(kind, sub)
      const named = (action: string, suffix: string, content: JsonSchema) =>
        operation({ ...connected, suffix: `${connected.suffix}${suffix}` }, action, content)
      paths.push(...openApiConnect.paths(collection, sub.name, item, named))
    } else paths.push([`${collection}/{name}/${sub.name}`, subresourcePath(kind, sub, item)])
  }
  return Object.fromEntries(paths)
}
