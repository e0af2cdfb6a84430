/**
 * Decides about certificate signing requests of the cluster's own signers: approves node agents that ask for their client certificate and
 * may do so, signs what is approved, and removes requests that are done with. Requests for serving certificates are for a person to approve.
 */
import { type CertificatesV1, Kinds, type SigningRequest, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer, ObjectRef } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Controller from "./Controller.js"
import { isRoutine } from "./internal/routine.js"
import * as rules from "./internal/signerRules.js"
import { Outcome } from "./Reconciler.js"

/**
 * Reads requests and signs them with the authority of the cluster.
 *
 * @category models
 */
export interface Signer {
  /** What a request (PEM) asks for; fails when it is not one, or is damaged. */
  readonly readRequest: (pem: string) => Effect.Effect<SigningRequest.Contents, { readonly message: string }>
  /** The certificate, as PEM. */
  readonly signRequest: (
    pem: string,
    terms: { readonly usages: ReadonlyArray<string>; readonly lifetime: Duration.DurationInput }
  ) => Effect.Effect<string, { readonly message: string }>
}

/**
 * Who signs, and for how long certificates are good.
 *
 * @category models
 */
export interface Options {
  readonly signer: Signer
  /** Longest lifetime of a certificate: one year unless given. */
  readonly lifetime?: Duration.DurationInput
  /** Time between visits of all requests: 10 minutes unless given. */
  readonly resync?: Duration.DurationInput
}

type Request = CertificatesV1.CertificateSigningRequest

/** How long requests stay that are decided, and those that nobody decides about, in milliseconds. */
const decidedMillis = 3_600_000
const undecidedMillis = 24 * 3_600_000

const has = ({ status }: Request, type: string): boolean => status?.conditions?.some((condition) => condition.type === type && condition.status !== "False") === true

const isIssued = ({ status }: Request): boolean => (status?.certificate ?? "") !== ""

const pemOf = ({ spec }: Request): string => Buffer.from(spec.request, "base64").toString("latin1")

/** When the request is removed, in milliseconds since the epoch; undefined while it waits for its signer. */
const removalAt = (request: Request): number | undefined => {
  const conditions = request.status?.conditions ?? []
  if (conditions.length === 0) return (Timestamp.toMillis(request.metadata.creationTimestamp) ?? 0) + undecidedMillis
  if (has(request, "Approved") && !isIssued(request) && !has(request, "Failed")) return undefined
  const times = conditions.map(({ lastUpdateTime }) => Timestamp.toMillis(lastUpdateTime) ?? Timestamp.toMillis(request.metadata.creationTimestamp) ?? 0)
  return Math.max(...times) + decidedMillis
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informer.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const now = () => clock.unsafeCurrentTimeMillis()
  const requests = yield* Informer.make({ kind: Kinds.certificateSigningRequest })
  const longest = Duration.toMillis(options.lifetime ?? "365 days")

  const mayAsk = (request: Request, subresource: string) => {
    const { extra, groups = [], uid, username = "" } = request.spec
    return Effect.map(
      client.create(Kinds.subjectAccessReview, {
        metadata: {},
        spec: {
          user: username,
          groups,
          ...(uid === undefined ? {} : { uid }),
          ...(extra === undefined ? {} : { extra }),
          resourceAttributes: { group: "certificates.k8s.io", resource: "certificatesigningrequests", verb: "create", subresource, version: "*" }
        }
      }),
      (review) => review.status?.allowed === true
    )
  }

  const withCondition = (request: Request, type: string, reason: string, message: string): Request => {
    const time = Timestamp.secondsFromMillis(now())
    const condition = { type, status: "True", reason, message, lastUpdateTime: time, lastTransitionTime: time }
    return { ...request, status: { ...request.status, conditions: [...request.status?.conditions ?? [], condition] } }
  }

  const approve = Effect.fnUntraced(function*(request: Request, contents: SigningRequest.Contents): Effect.fn.Return<void, ClientError.ClientError> {
    for (const recognizer of rules.recognizers) {
      if (!recognizer.recognizes(request, contents) || !(yield* mayAsk(request, recognizer.subresource))) continue
      yield* client.updateSubresource(Kinds.certificateSigningRequest, "approval", withCondition(request, "Approved", "AutoApproved", recognizer.message))
      return
    }
  })

  const fail = (request: Request, reason: string, message: string) =>
    Effect.asVoid(client.updateStatus(Kinds.certificateSigningRequest, withCondition(request, "Failed", reason, message)))

  const sign = (request: Request, contents: SigningRequest.Contents): Effect.Effect<void, ClientError.ClientError> => {
    const problem = rules.problemOf(request, contents)
    if (problem !== undefined) return fail(request, "SignerValidationFailure", problem)
    const { expirationSeconds, usages = [] } = request.spec
    const lifetime = expirationSeconds === undefined ? longest : Math.min(longest, 1000 * expirationSeconds)
    return options.signer.signRequest(pemOf(request), { usages, lifetime }).pipe(
      Effect.matchEffect({
        onFailure: ({ message }) => fail(request, "SignerValidationFailure", message),
        onSuccess: (certificate) =>
          Effect.asVoid(client.updateStatus(Kinds.certificateSigningRequest, {
            ...request,
            status: { ...request.status, certificate: Buffer.from(certificate).toString("base64") }
          }))
      })
    )
  }

  const decide = (request: Request): Effect.Effect<void, ClientError.ClientError> => {
    if (!rules.isOwn(request.spec.signerName) || isIssued(request) || has(request, "Denied") || has(request, "Failed")) return Effect.void
    const isApproved = has(request, "Approved")
    return options.signer.readRequest(pemOf(request)).pipe(
      Effect.matchEffect({
        onFailure: ({ message }) => (isApproved ? fail(request, "SignerValidationFailure", message) : Effect.void),
        onSuccess: (contents) => (isApproved ? sign(request, contents) : approve(request, contents))
      })
    )
  }

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const request = requests.get(key)
    if (request === undefined || request.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    const due = removalAt(request)
    if (due !== undefined && due <= now()) {
      const { resourceVersion, uid } = request.metadata
      yield* Effect.catchIf(
        client.delete(Kinds.certificateSigningRequest, ObjectRef.of(request), { preconditions: { uid, resourceVersion } }),
        ClientError.isNotFound,
        () => Effect.void
      )
      return Outcome.Settled()
    }
    yield* decide(request)
    return due === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay: due - now() })
  })

  yield* Controller.run({
    name: "certificate-signing",
    resync: options.resync ?? "10 minutes",
    isRoutine,
    sources: [Controller.source(requests, (request) => [ObjectRef.keyOf(request)])],
    reconcile
  })
})
