/** Conversion of custom objects between versions by a webhook. */
import { FieldError, Kind, type KubeObject, Names, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { randomUUID } from "node:crypto"
import { equals, get, isArray, isObject, type JsonObject, textAt } from "./jsonValue.js"
import { described } from "./reviewVersion.js"
import type { WebhookClient } from "./webhookClient.js"

/** As long as Kubernetes waits. */
const timeoutMillis = 30_000

/** Objects of one call. */
const batch = 500

const known: ReadonlySet<string> = new Set(["v1", "v1beta1"])

/** What is in an answer; version v1beta1 need not say what it is an answer to. */
const convertedIn = (answer: unknown, uid: string, apiVersion: string): Either.Either<ReadonlyArray<unknown>, string> => {
  const isStrict = !apiVersion.endsWith("/v1beta1")
  const expected = `${apiVersion}, Kind=ConversionReview`
  if (isStrict && described(answer) !== expected) return Either.left(`expected webhook response of ${expected}, got ${described(answer)}`)
  const response = get(answer, "response")
  if (!isObject(response)) return Either.left("no response provided")
  if (isStrict && response["uid"] !== uid) {
    return Either.left(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textAt(response, "uid"))}`)
  }
  const result = response["result"]
  const status = textAt(result, "status")
  if (status !== "Success") return Either.left(textAt(result, "message") || `response.result.status was '${status}', not 'Success'`)
  const objects = response["convertedObjects"]
  return Either.right(isArray(objects) ? objects : [])
}

const goType = (value: unknown): string => {
  if (value === null || value === undefined) return "<nil>"
  if (isArray(value)) return "[]interface {}"
  if (isObject(value)) return "map[string]interface {}"
  return typeof value === "number" ? Number.isInteger(value) ? "int64" : "float64" : typeof value === "boolean" ? "bool" : typeof value
}

// The rules of labels and annotations are those of any kind.
const anyKind = Kind.make({ version: "v1", kind: "Converted", plural: "converted", schema: "", namespaced: false, nameRule: Names.isPathSegment })

const textsOf = (field: "labels" | "annotations", value: unknown, before: unknown): Either.Either<Readonly<Record<string, string>> | undefined, string> => {
  if (value === undefined || value === null) return Either.right(undefined)
  if (!isObject(value)) return Either.left(`invalid metadata.${field} of type ${goType(value)} in converted object`)
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string")
  const wrong = Object.keys(value).find((key) => typeof value[key] !== "string")
  if (wrong !== undefined) {
    return Either.left(`metadata.${field}[${wrong}] must be a string, but is ${goType(value[wrong])} in converted object`)
  }
  const texts = Object.fromEntries(entries)
  if (equals(texts, before ?? {})) return Either.right(texts)
  const problems = anyKind.validate({ apiVersion: "v1", kind: "Converted", metadata: { name: "converted", [field]: texts } })
  return problems.length > 0 ? Either.left(FieldError.formatAll(problems)) : Either.right(texts)
}

/** What of the metadata a webhook may change; the rest stays what it was. */
const restored = (converted: JsonObject, original: KubeObject.KubeObject): Either.Either<KubeObject.KubeObject, string> => {
  const { annotations, labels, ...kept } = original.metadata
  const metadata = converted["metadata"]
  if (metadata === undefined) return Either.left("missing metadata in converted object")
  if (!isObject(metadata)) return Either.left(`invalid metadata of type ${goType(metadata)} in converted object`)
  return Either.flatMap(textsOf("labels", metadata["labels"], labels), (nextLabels) =>
    Either.map(textsOf("annotations", metadata["annotations"], annotations), (nextAnnotations) => ({
      ...converted,
      apiVersion: textAt(converted, "apiVersion"),
      kind: original.kind,
      metadata: {
        ...kept,
        ...(nextLabels === undefined ? {} : { labels: nextLabels }),
        ...(nextAnnotations === undefined ? {} : { annotations: nextAnnotations })
      }
    })))
}

const identity = [["name", "name"], ["namespace", "namespace"], ["uid", "UID"]] as const

const checked = (converted: unknown, original: KubeObject.KubeObject, desired: string, index: number): Either.Either<KubeObject.KubeObject, string> => {
  const at = `returned invalid object at index ${index}`
  if (!isObject(converted)) return Either.left(`${at}: not an object`)
  if (converted["apiVersion"] !== desired) {
    return Either.left(`${at}: invalid groupVersion (expected ${desired}, received ${textAt(converted, "apiVersion")})`)
  }
  if (converted["kind"] !== original.kind) {
    return Either.left(`${at}: invalid kind (expected ${original.kind}, received ${textAt(converted, "kind")})`)
  }
  for (const [field, shown] of identity) {
    const given = textAt(converted["metadata"], field)
    const expected = original.metadata[field] ?? ""
    if (given !== expected) return Either.left(`returned invalid object: must have the same ${shown}: ${expected} != ${given}`)
  }
  return Either.mapLeft(restored(converted, original), (problem) => `returned invalid metadata: ${problem}`)
}

// An answer without a reason, as every failure that Kubernetes only passes on.
const failure = (object: KubeObject.KubeObject, problem: string): Status.Status =>
  Status.failure(500, "", `conversion webhook for ${described(object)} ${problem}`, {})

const convertBatch = (
  client: WebhookClient,
  { conversion }: Kind.ConversionWebhook,
  objects: ReadonlyArray<KubeObject.KubeObject>,
  desired: string
): Effect.Effect<ReadonlyArray<KubeObject.KubeObject>, Status.Status> =>
  Effect.suspend(() => {
    const [first] = objects
    if (first === undefined) return Effect.succeed([])
    const uid = randomUUID()
    const version = conversion.conversionReviewVersions.find((name) => known.has(name)) ?? "v1"
    const apiVersion = `apiextensions.k8s.io/${version}`
    const review = { kind: "ConversionReview", apiVersion, request: { uid, desiredAPIVersion: desired, objects } }
    return client.call(conversion.clientConfig ?? {}, review, timeoutMillis).pipe(
      Effect.mapError(({ message }) => `failed: ${message}`),
      Effect.flatMap((answer) => Either.mapLeft(convertedIn(answer, uid, apiVersion), (problem) => `failed: ${problem}`)),
      Effect.flatMap((converted) =>
        converted.length === objects.length
          ? Either.all(objects.map((original, index) => checked(converted[index], original, desired, index)))
          : Either.left(`returned ${converted.length} objects, expected ${objects.length}`)),
      Effect.mapError((problem) => failure(first, problem))
    )
  })

/** Objects in another version, in the order in which they were given. Those that have it already are left alone. */
export const convert = (
  client: WebhookClient,
  webhook: Kind.ConversionWebhook,
  objects: ReadonlyArray<KubeObject.KubeObject>,
  desired: string
): Effect.Effect<ReadonlyArray<KubeObject.KubeObject>, Status.Status> => {
  const others = objects.filter(({ apiVersion }) => apiVersion !== desired)
  if (others.length === 0) return Effect.succeed(objects)
  const batches = Array.from({ length: Math.ceil(others.length / batch) }, (_, index) => others.slice(index * batch, (index + 1) * batch))
  return Effect.map(Effect.forEach(batches, (some) => convertBatch(client, webhook, some, desired), { concurrency: 4 }), (all) => {
    const converted = new Map(all.flat().map((object, index) => [others[index], object]))
    return objects.map((object) => converted.get(object) ?? object)
  })
}
