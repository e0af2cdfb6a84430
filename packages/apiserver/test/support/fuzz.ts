/** What clients might send: requests near the valid ones, and far from them. */
import { type Kind, Kinds, Schema } from "@reddwarf/api-types"
import { FastCheck } from "effect"

/** A deterministic source of choices; a seed of fast-check makes a whole object. */
const choices = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return { below, chance: (probability: number) => next() < probability, of: <A>(values: ReadonlyArray<A>): A | undefined => values[below(values.length)] }
}

type Choices = ReturnType<typeof choices>

const garbage: ReadonlyArray<unknown> = [
  null, true, false, 0, -1, 1.5, 1e300, 2 ** 53, "", "x", "a/b", "\u0000", "ü", "a".repeat(300), [], {}, [null], [[]], { a: null }, { "": {} },
  { __proto__x: 1 }, JSON.parse("{\"__proto__\":{\"a\":1},\"constructor\":\"x\",\"toString\":1}"), "__proto__", "constructor", "{}", "[]"
]

const words = ["a", "b", "c", "web", "default", "nginx:1", "app", "kube-system", "10.0.0.1", "80", "50%", "a.b.c", "example.com/x", "Bad_Name", "", "-1", "1Gi", "Always", "Never", "TCP"]

const scalar = (random: Choices, type: string): unknown => {
  switch (type) {
    case "string":
      return random.of(words)
    case "int32":
    case "int64":
      return random.of([0, 1, 2, 80, 443, 30_000, -1, 65_536, 2_147_483_648])
    case "double":
      return random.of([0, 1.5, -1])
    case "bool":
      return random.chance(0.5)
    case "bytes":
      return random.of(["YQ==", "!", ""])
    case "time":
    case "microTime":
      return random.of(["2026-11-20T21:56:20Z", "2026-11-20T21:56:20.123456Z", "yesterday", null])
    case "duration":
      return random.of(["1s", "x"])
    case "quantity":
      return random.of(["1", "500m", "1Gi", 1, "-1", "1e3", "x", ""])
    case "intOrString":
      return random.of([1, 80, "http", "50%", "-5%"])
    default:
      return random.of(garbage)
  }
}

const valueOf = (random: Choices, type: string, depth: number): unknown => {
  if (random.chance(0.04)) return random.of(garbage)
  if (type.startsWith("[]")) {
    return Array.from({ length: random.below(3) }, () => valueOf(random, type.slice(2), depth + 1))
  }
  if (type.startsWith("{}")) {
    return Object.fromEntries(Array.from({ length: random.below(3) }, () => [String(random.of(words)), valueOf(random, type.slice(2), depth + 1)]))
  }
  return Schema.isMessage(type) ? messageOf(random, type, depth) : scalar(random, type)
}

const fieldValue = (random: Choices, name: string, field: Schema.Field, depth: number): unknown => {
  const values = field.enum === undefined ? undefined : Schema.enums[field.enum]
  if (values !== undefined && random.chance(0.8)) return random.of(values)
  return name === "name" && random.chance(0.7) ? random.of(["a", "b", "c"]) : valueOf(random, field.type, depth + 1)
}

const messageOf = (random: Choices, type: string, depth: number): unknown => {
  const likely = depth > 5 ? 0.05 : depth > 3 ? 0.15 : 0.3
  const made: Record<string, unknown> = {}
  for (const [name, field] of Schema.fieldsOf(type)) {
    if (field.required === true || random.chance(likely)) made[name] = fieldValue(random, name, field, depth)
  }
  return made
}

/** An object of a kind: most fields as the field tables have them, some not. */
const objectOf = (kind: Kind.Kind, seed: number): unknown => {
  const random = choices(seed)
  const made: unknown = messageOf(random, kind.schema, 0)
  if (typeof made !== "object" || made === null || random.chance(0.02)) return made
  const namespaced = kind.namespaced && random.chance(0.5) ? { namespace: "default" } : {}
  const metadata = random.chance(0.9)
    ? { name: random.of(["a", "b", "c"]), ...namespaced, ...(random.chance(0.3) ? { labels: { app: random.of(words) } } : {}) }
    : valueOf(random, "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", 2)
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`
  return { ...made, kind: kind.kind, apiVersion: random.chance(0.98) ? apiVersion : random.of(garbage), metadata }
}

const operations = ["add", "remove", "replace", "move", "copy", "test", "nope"]
const pointers = ["", "/metadata", "/metadata/labels", "/metadata/labels/app", "/spec", "/spec/replicas", "/spec/containers/0/image", "/spec/x", "/data/k", "/-", "x", "/a~1b", "/status"]

const patchOf = (kind: Kind.Kind, seed: number): unknown => {
  const random = choices(seed)
  if (random.chance(0.5)) return objectOf(kind, seed + 1)
  const directives = { $patch: random.of(["replace", "delete", "merge", "x"]), $retainKeys: random.of([["a"], "a", null]) }
  return random.chance(0.4)
    ? { spec: directives, metadata: { labels: { $patch: random.of(["replace", 1]) }, "$deleteFromPrimitiveList/finalizers": random.of([["a"], {}]) } }
    : Array.from({ length: random.below(4) }, () => ({ op: random.of(operations), path: random.of(pointers), from: random.of(pointers), value: random.of([...garbage, "a", 1]) }))
}

const name = FastCheck.constantFrom("a", "b", "c", "default", "kube-system", "Bad_Name")

const collectionOf = (kind: Kind.Kind): string => {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  return kind.namespaced ? `${root}/namespaces/default/${kind.plural}` : `${root}/${kind.plural}`
}

const plain: FastCheck.Arbitrary<unknown> = FastCheck.oneof(FastCheck.jsonValue({ maxDepth: 3 }), FastCheck.constantFrom(...garbage))

/** A body near what the path is for. */
const bodyOf = (kind: Kind.Kind) =>
  FastCheck.oneof(
    { weight: 5, arbitrary: FastCheck.nat().map((seed) => JSON.stringify(objectOf(kind, seed))) },
    { weight: 3, arbitrary: FastCheck.nat().map((seed) => JSON.stringify(patchOf(kind, seed))) },
    { weight: 1, arbitrary: plain.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: FastCheck.string({ maxLength: 60 }) },
    { weight: 1, arbitrary: FastCheck.uint8Array({ maxLength: 60 }) },
    { weight: 1, arbitrary: FastCheck.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes])) }
  )

const segment = FastCheck.oneof(
  FastCheck.constantFrom(
    "api", "apis", "v1", "namespaces", "default", "pods", "configmaps", "nodes", "leases", "coordination.k8s.io", "apps", "deployments", "a", "status", "scale",
    "log", "binding", "eviction", "finalize", "token", "watch", "openapi", "v2", "v3", "healthz", "livez", "version", "..", "%2e%2e", "%00", "%ff", "%2f", "", "__proto__", "constructor"
  ),
  FastCheck.string({ maxLength: 12 }).map((text) => text.replaceAll(/[#? ]/g, "-"))
)

const parameter = FastCheck.tuple(
  FastCheck.constantFrom(
    "limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "dryRun", "fieldValidation", "fieldManager", "pretty", "timeoutSeconds",
    "timeout", "includeObject", "gracePeriodSeconds", "propagationPolicy", "orphanDependents", "tailLines", "container", "force", "allowWatchBookmarks", "sendInitialEvents", "watch", "hash", "verbose", "x"
  ),
  FastCheck.oneof(
    FastCheck.constantFrom("", "0", "1", "-1", "true", "false", "All", "Strict", "Ignore", "a=b", "a in (b,c)", "a in (", "!a", "metadata.name=a", "metadata.name!=a", "spec.nodeName=", "Exact", "NotOlderThan", "9007199254740993", "1e9", "1s", "Foreground", "Orphan"),
    FastCheck.string({ maxLength: 10 })
  )
)

const types = FastCheck.constantFrom(
  undefined, "application/json", "application/json; charset=utf-8", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor", "application/merge-patch+json",
  "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "x/y", ";", ""
)

const accepts = FastCheck.constantFrom(
  undefined, "application/json", "application/yaml", "*/*", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json", "text/event-stream", "image/png", ";;,q=", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
)

const headers = FastCheck.dictionary(
  FastCheck.constantFrom("user-agent", "if-none-match", "last-event-id", "audit-id", "x-forwarded-for", "impersonate-user", "impersonate-group", "cookie"),
  FastCheck.oneof(FastCheck.constantFrom("5", "curl/8", "Mozilla/5.0", "*", "system:masters", "nobody"), FastCheck.string({ maxLength: 20 })),
  { maxKeys: 2 }
)

/** One request. */
export interface FuzzRequest {
  readonly method: string
  readonly url: string
  readonly type: string | undefined
  readonly accept: string | undefined
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array
}

const methods = FastCheck.constantFrom("GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW")

const patchTypes = FastCheck.constantFrom(
  "application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"
)

const target = FastCheck.constantFrom(...Kinds.all).chain((kind) =>
  FastCheck.record({
    path: FastCheck.oneof(
      FastCheck.constant(collectionOf(kind)),
      name.map((found) => `${collectionOf(kind)}/${found}`),
      FastCheck.tuple(name, FastCheck.constantFrom("status", "scale", "token", ...kind.subresources.map((sub) => sub.name)))
        .map(([found, sub]) => `${collectionOf(kind)}/${found}/${sub}`)
    ),
    body: bodyOf(kind)
  })
)

const wild = FastCheck.record({
  path: FastCheck.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join("/")}`),
  body: FastCheck.constantFrom(...Kinds.all).chain(bodyOf)
})

/** Requests of all sorts. */
export const request: FastCheck.Arbitrary<FuzzRequest> = FastCheck.record({
  method: methods,
  target: FastCheck.oneof({ weight: 4, arbitrary: target }, { weight: 1, arbitrary: wild }),
  query: FastCheck.oneof({ weight: 2, arbitrary: FastCheck.constant([]) }, { weight: 1, arbitrary: FastCheck.array(parameter, { maxLength: 3 }) }),
  type: types,
  patchType: patchTypes,
  accept: FastCheck.oneof(FastCheck.constant(undefined), accepts),
  headers: FastCheck.oneof({ weight: 3, arbitrary: FastCheck.constant({}) }, { weight: 1, arbitrary: headers })
}).map(({ accept, headers: given, method, patchType, query, target: { body, path }, type }) => {
  // A revision of the future would be waited for.
  const now = query.filter(([key, value]) => key !== "resourceVersion" || value.length < 2)
  const parameters = new URLSearchParams(now).toString()
  return {
    method,
    url: parameters === "" ? path : `${path}?${parameters}`,
    // Most patches say what they are, and most others nothing special, so that more than the door is tried.
    type: method === "PATCH" ? (type === "" ? type : patchType) : type?.includes("patch") === true ? "application/json" : type,
    accept,
    headers: given,
    body
  }
})
