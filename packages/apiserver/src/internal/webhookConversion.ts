/** Conversion of custom objects between versions by a webhook. */
import { type Kind, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { randomUUID } from "node:crypto"
import { equals, get, isArray, isObject, type JsonObject, textAt } from "./jsonValue.js"
import type { WebhookClient } from "./webhookClient.js"

/** As long as Kubernetes waits. */
const timeoutMillis = 30_000

/** Objects of one call. */
const batch = 500

const known: ReadonlySet<string> = new Set(["v1", "v1beta1"])

/** `group/version, Kind=Kind`. */
const described = ({ apiVersion, kind }: KubeObject.KubeObject): string => `${apiVersion}, Kind=${kind}`

const convertedIn = (answer: unknown, uid: string, apiVersion: string): Either.Either<ReadonlyArray<unknown>, string> => {
  const given = `${textAt(answer, "apiVersion")}, Kind=${textAt(answer, "kind")}`
  const expected = `${apiVersion}, Kind=ConversionReview`
  if (given !== expected) return Either.left(`expected webhook response of ${expected}, got ${given}`)
  const response = get(answer, "response")
  if (!isObject(response)) return Either.left("no response provided")
  if (response["uid"] !== uid) return Either.left(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`)
  const result = response["result"]
  const status = textAt(result, "status")
  if (status !== "Success") return Either.left(textAt(result, "message") || `response.result.status was '${status}', not 'Success'`)
  const objects = response["convertedObjects"]
  return Either.right(isArray(objects) ? objects : [])
}

const labelled = (value: unknown): JsonObject => isObject(value) ? value : {}

/** What of the metadata a webhook may change; the rest stays what it was. */
const restored = (converted: JsonObject, original: KubeObject.KubeObject): Either.Either<KubeObject.KubeObject, string> => {
  const { annotations: _, labels: __, ...kept } = original.metadata
  const metadata = converted["metadata"]
  if (!isObject(metadata)) return Either.left(`invalid metadata of type ${typeof metadata} in converted object`)
  for (const field of ["name", "namespace", "uid"] as const) {
    if (!equals(metadata[field] ?? "", original.metadata[field] ?? "")) {
      return Either.left(`must have the same ${field === "uid" ? "UID" : field}: ${textAt(metadata, field)} != ${original.metadata[field] ?? ""}`)
    }
  }
  const texts = Object.fromEntries(
    (["labels", "annotations"] as const).flatMap((field) => {
      const values = Object.entries(labelled(metadata[field])).filter((entry): entry is [string, string] => typeof entry[1] === "string")
      return values.length === 0 ? [] : [[field, Object.fromEntries(values)]]
    })
  )
  return Either.right({ ...converted, apiVersion: textAt(converted, "apiVersion"), kind: original.kind, metadata: { ...kept, ...texts } })
}

const checked = (converted: unknown, original: KubeObject.KubeObject, desired: string, index: number): Either.Either<KubeObject.KubeObject, string> => {
  const invalid = `returned invalid converted object at index ${index}`
  if (!isObject(converted)) return Either.left(`${invalid}: not an object`)
  if (converted["apiVersion"] !== desired) {
    return Either.left(`${invalid}: invalid groupVersion (expected ${desired}, received ${textAt(converted, "apiVersion")})`)
  }
  if (converted["kind"] !== original.kind) {
    return Either.left(`${invalid}: invalid kind (expected ${original.kind}, received ${textAt(converted, "kind")})`)
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
