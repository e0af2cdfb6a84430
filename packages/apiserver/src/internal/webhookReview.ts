/** One question to one admission webhook. */
import { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { get, isArray, isObject, type JsonObject, textAt } from "./jsonValue.js"
import type { ClientConfig, WebhookClient } from "./webhookClient.js"

/** What of a webhook a question needs. */
export interface Asked {
  readonly name: string
  readonly clientConfig: ClientConfig
  readonly timeoutSeconds?: number
  readonly admissionReviewVersions: ReadonlyArray<string>
}

/** The answer. */
export interface Review {
  /** The refusal, unless the request is allowed. */
  readonly refusal: Status.Status | undefined
  /** A JSON patch. */
  readonly patch: unknown
  readonly warnings: ReadonlyArray<string>
}

const known: ReadonlySet<string> = new Set(["v1", "v1beta1"])

const refusalOf = (name: string, response: JsonObject): Status.Status | undefined => {
  if (response["allowed"] === true) return undefined
  const { status } = response
  const code = get(status, "code")
  const reason = textAt(status, "reason")
  const why = textAt(status, "message") || reason
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  return Status.failure(
    typeof code === "number" && Number.isInteger(code) && code >= 400 && code < 600 ? code : 400,
    reason,
    why === "" ? `${denied} without explanation` : `${denied}: ${why}`
  )
}

const patchOf = (response: JsonObject): Either.Either<unknown, string> => {
  const { patch, patchType } = response
  if (typeof patch !== "string" || patch === "") return Either.right(undefined)
  if (typeof patchType !== "string" || patchType === "") return Either.left("webhook returned response.patch but not response.patchType")
  if (patchType !== "JSONPatch") return Either.left(`webhook returned invalid response.patchType of ${JSON.stringify(patchType)}`)
  return Either.try({
    try: (): unknown => JSON.parse(Buffer.from(patch, "base64").toString("utf8")),
    catch: () => "webhook returned a response.patch that is not JSON"
  })
}

const read = (answer: unknown, apiVersion: string, uid: string, name: string): Either.Either<Review, string> => {
  const given = `${textAt(answer, "apiVersion")}, Kind=${textAt(answer, "kind")}`
  const expected = `${apiVersion}, Kind=AdmissionReview`
  if (given !== expected) return Either.left(`expected webhook response of ${expected}, got ${given}`)
  const response = get(answer, "response")
  if (!isObject(response)) return Either.left("webhook response was absent")
  if (response["uid"] !== uid) return Either.left(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textAt(response, "uid"))}`)
  const { warnings } = response
  return Either.map(patchOf(response), (patch) => ({
    refusal: refusalOf(name, response),
    patch,
    warnings: isArray(warnings) ? warnings.filter((text) => typeof text === "string").map((text) => text.slice(0, 1024)).slice(0, 16) : []
  }))
}

/** Asks a webhook. Fails with what kept it from answering. */
export const ask = (
  client: WebhookClient,
  webhook: Asked,
  request: { readonly uid?: string }
): Effect.Effect<Review, string> =>
  Effect.suspend(() => {
    const { admissionReviewVersions, clientConfig, name, timeoutSeconds = 10 } = webhook
    const apiVersion = `admission.k8s.io/${admissionReviewVersions.find((version) => known.has(version)) ?? "v1"}`
    return client.call(clientConfig, { kind: "AdmissionReview", apiVersion, request }, timeoutSeconds * 1000).pipe(
      Effect.mapError(({ message }) => `failed to call webhook: ${message}`),
      Effect.flatMap((answer) =>
        Either.mapLeft(read(answer, apiVersion, request.uid ?? "", name), (problem) => `received invalid webhook response: ${problem}`)),
      Effect.mapError((problem) => `failed calling webhook ${JSON.stringify(name)}: ${problem}`)
    )
  })
