/** One question to one admission webhook. */
import { type MetaV1, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { get, isArray, isObject, type JsonObject, textAt } from "./jsonValue.js"
import { described } from "./reviewVersion.js"
import type { ClientConfig, WebhookClient } from "./webhookClient.js"

/** What of a webhook a question needs. */
export interface Asked {
  readonly name: string
  readonly clientConfig: ClientConfig
  readonly timeoutSeconds?: number
  readonly admissionReviewVersions: ReadonlyArray<string>
  /** Whether it may change what it is asked about. */
  readonly mutating: boolean
}

/** The answer. */
export interface Review {
  /** The refusal, unless the request is allowed. */
  readonly refusal: Status.Status | undefined
  /** The operations of a JSON patch; undefined: there is nothing to change. */
  readonly patch: ReadonlyArray<unknown> | undefined
  readonly warnings: ReadonlyArray<string>
}

const known: ReadonlySet<string> = new Set(["v1", "v1beta1"])

const textsAt = (value: unknown, names: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(names.flatMap((name) => textAt(value, name) === "" ? [] : [[name, textAt(value, name)]]))

/** As many causes of a refusal are handed on. */
const maximumCauses = 100

/** What a webhook says about its refusal besides the message. */
const detailsOf = (status: unknown): MetaV1.StatusDetails | undefined => {
  const details = get(status, "details")
  if (!isObject(details)) return undefined
  const { causes, retryAfterSeconds } = details
  return {
    ...textsAt(details, ["name", "group", "kind", "uid"]),
    ...(isArray(causes) ? { causes: causes.slice(0, maximumCauses).map((cause) => textsAt(cause, ["reason", "message", "field"])) } : {}),
    ...(typeof retryAfterSeconds === "number" && retryAfterSeconds > 0 ? { retryAfterSeconds: Math.trunc(retryAfterSeconds) } : {})
  }
}

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
    why === "" ? `${denied} without explanation` : `${denied}: ${why}`,
    detailsOf(status)
  )
}

/** What is wrong with the way in which an answer brings a patch. Version v1beta1 was not strict about it. */
const patchProblem = ({ patch = "", patchType }: JsonObject, mutating: boolean): string | undefined => {
  const isThere = patch !== null && patch !== ""
  const isTyped = patchType !== undefined && patchType !== null
  if (!mutating) {
    if (isThere) return "validating webhook may not return response.patch"
    return isTyped ? "validating webhook may not return response.patchType" : undefined
  }
  if (isThere && !isTyped) return "webhook returned response.patch but not response.patchType"
  if (!isThere && isTyped) return "webhook returned response.patchType but not response.patch"
  return patchType === "" ? "webhook returned invalid response.patchType of \"\"" : undefined
}

const patchOf = ({ patch, patchType }: JsonObject, isStrict: boolean): Either.Either<ReadonlyArray<unknown> | undefined, string> => {
  if (typeof patch !== "string" || patch === "") return Either.right(undefined)
  if (isStrict && patchType !== "JSONPatch") return Either.left(`unsupported patch type ${JSON.stringify(patchType)}`)
  return Either.try({
    try: (): unknown => JSON.parse(Buffer.from(patch, "base64").toString("utf8")),
    catch: (cause) => cause instanceof Error ? cause.message : String(cause)
  }).pipe(
    Either.flatMap((operations) => isArray(operations) ? Either.right(operations) : Either.left("it is not a list of operations")),
    Either.mapBoth({
      onLeft: (problem) => `received undecodable patch in webhook response: ${problem}`,
      onRight: (operations) => operations.length === 0 ? undefined : operations
    })
  )
}

const maximumWarnings = 16
const maximumWarning = 1024

const read = (answer: unknown, apiVersion: string, uid: string, { mutating, name }: Asked): Either.Either<Review, string> => {
  const invalid = (problem: string) => Either.left(`received invalid webhook response: ${problem}`)
  const isStrict = !apiVersion.endsWith("/v1beta1")
  const response = get(answer, "response")
  if (!isObject(response)) return invalid("webhook response was absent")
  if (isStrict) {
    if (response["uid"] !== uid) return invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textAt(response, "uid"))}`)
    const expected = `${apiVersion}, Kind=AdmissionReview`
    if (described(answer) !== expected) return invalid(`expected webhook response of ${expected}, got ${described(answer)}`)
    const problem = patchProblem(response, mutating)
    if (problem !== undefined) return invalid(problem)
  }
  const { warnings } = response
  const refusal = refusalOf(name, response)
  const patch = refusal === undefined && mutating ? patchOf(response, isStrict) : Either.right(undefined)
  return Either.map(patch, (operations) => ({
    refusal,
    patch: operations,
    warnings: isArray(warnings)
      ? warnings.filter((text) => typeof text === "string").map((text) => text.slice(0, maximumWarning)).slice(0, maximumWarnings)
      : []
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
      Effect.flatMap((answer) => read(answer, apiVersion, request.uid ?? "", webhook)),
      Effect.mapError((problem) => `failed calling webhook ${JSON.stringify(name)}: ${problem}`)
    )
  })
