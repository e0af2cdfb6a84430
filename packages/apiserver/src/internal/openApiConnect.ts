/** Operations of subresources that connect to a pod, a service or a node, as OpenAPI describes them. */
import type { JsonSchema } from "./openApiSchemas.js"

type Parameter = readonly [name: string, type: "boolean" | "string" | "integer"]

const streams: ReadonlyArray<Parameter> = [["container", "string"], ["stderr", "boolean"], ["stdin", "boolean"], ["stdout", "boolean"], ["tty", "boolean"]]

const parameters: Readonly<Record<string, ReadonlyArray<Parameter>>> = {
  attach: streams,
  exec: [["command", "string"], ...streams],
  portforward: [["ports", "integer"]],
  proxy: [["path", "string"]]
}

/** Whether a subresource is one of these. */
export const isConnect = (name: string): boolean => parameters[name] !== undefined

const query = ([name, type]: Parameter): JsonSchema => ({ name, in: "query", schema: { type, uniqueItems: true } })

const methodsOf = (name: string): ReadonlyArray<readonly [method: string, action: string]> =>
  (name === "proxy" ? ["delete", "get", "head", "patch", "post", "put"] : ["get", "post"])
    .map((method) => [method, `connect${method.charAt(0).toUpperCase()}${method.slice(1)}`])

const rest = { name: "path", in: "path", required: true, schema: { type: "string", uniqueItems: true } }

/**
 * The paths of one of these subresources below that of its object. `operation` makes an operation of an id's first word, what follows
 * the kind in it, and the rest.
 */
export const paths = (
  path: string,
  name: string,
  item: ReadonlyArray<JsonSchema>,
  operation: (action: string, suffix: string, content: JsonSchema) => JsonSchema
): ReadonlyArray<readonly [string, JsonSchema]> => {
  const own = (parameters[name] ?? []).map(query)
  const operations = (suffix: string) =>
    Object.fromEntries(methodsOf(name).map(([method, action]) => [
      method,
      {
        ...operation(action, suffix, {
          responses: {
            "200": { description: "OK", content: { "*/*": { schema: { type: "string" } } } },
            "401": { description: "Unauthorized" }
          }
        }),
        "x-kubernetes-action": "connect"
      }
    ]))
  const root = `${path}/{name}/${name}`
  const plain: readonly [string, JsonSchema] = [root, { parameters: [...item, ...own], ...operations("") }]
  return name === "proxy" ? [plain, [`${root}/{path}`, { parameters: [...item, rest, ...own], ...operations("WithPath") }]] : [plain]
}
