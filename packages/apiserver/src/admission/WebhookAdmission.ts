/** Admission: asks the webhooks that users have configured. */
import { Expressions } from "@reddwarf/api-extensions"
import {
  type AdmissionregistrationV1,
  ApiError,
  type Kind,
  type KindRegistry,
  Kinds,
  type KubeObject,
  ObjectCodec,
  Status
} from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { randomUUID } from "node:crypto"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"
import type { Authorizer } from "../authorization/Authorizer.js"
import * as expressions from "../internal/admissionExpressions.js"
import * as match from "../internal/admissionMatch.js"
import * as admissionRequest from "../internal/admissionRequest.js"
import { equals } from "../internal/jsonValue.js"
import type { WebhookClient } from "../internal/webhookClient.js"
import * as webhookReview from "../internal/webhookReview.js"
import * as JsonPatch from "../patch/JsonPatch.js"
import type * as Context from "effect/Context"

/** What the plugin works with. @category models */
export interface Services {
  readonly registry: KindRegistry.Registry
  readonly webhooks: WebhookClient
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly authorize: Context.Tag.Service<Authorizer>["authorize"]
}

type Webhook = AdmissionregistrationV1.ValidatingWebhook & Pick<AdmissionregistrationV1.MutatingWebhook, "reinvocationPolicy">
type Configuration = KubeObject.KubeObject & { readonly webhooks?: ReadonlyArray<Webhook> }
type Subject = match.Subject
type Refusal = ApiError.ApiError

const isConfiguration = (object: KubeObject.KubeObject): object is Configuration =>
  object.kind === "MutatingWebhookConfiguration" || object.kind === "ValidatingWebhookConfiguration"

/** The webhooks of all configurations, by the names of these. */
const webhooksOf = (view: ClusterView, kind: Kind.Kind): ReadonlyArray<Webhook> =>
  view.list(kind, undefined).flatMap((object) => isConfiguration(object) ? object.webhooks ?? [] : [])

/** Under which kind a webhook wants to be asked about a subject; undefined: not at all. */
const wanted = (
  { authorize, registry }: Services,
  webhook: Webhook,
  subject: Subject,
  view: ClusterView
): Either.Either<Kind.Kind | undefined, Status.Status> => {
  const { attributes } = subject
  const equivalents = match.takesEquivalents(webhook) ? admissionRequest.equivalentsOf(registry, attributes.kind) : []
  const kind = match.kindIn(webhook.rules ?? [], attributes, equivalents)
  if (kind === undefined) return Either.right(undefined)
  const { failurePolicy, matchConditions = [] } = webhook
  return Either.flatMap(match.selected(webhook, subject, view), (selected) => {
    if (!selected) return Either.right(undefined)
    if (matchConditions.length === 0) return Either.right(kind)
    const budget = new Expressions.Budget()
    const holds = Either.try(() => expressions.valuesOf(subject, admissionRequest.make("", subject, kind), view, authorize, budget)).pipe(
      Either.mapLeft(String),
      Either.flatMap((values) => expressions.conditionsHold(matchConditions, values, budget))
    )
    if (Either.isRight(holds)) return Either.right(holds.right ? kind : undefined)
    return failurePolicy === "Ignore"
      ? Either.right(undefined)
      : Either.left(Status.forbidden(attributes.kind, attributes.name, holds.left))
  })
}

const nothing: webhookReview.Review = { refusal: undefined, patch: undefined, warnings: [] }

/** Asks one webhook; fails with its refusal, or when it does not answer and has to. */
const ask = (services: Services, webhook: Webhook, subject: Subject, kind: Kind.Kind): Effect.Effect<webhookReview.Review, Refusal> => {
  const { attributes: { dryRun, warn } } = subject
  if (dryRun && !["None", "NoneOnDryRun"].includes(webhook.sideEffects)) {
    return ApiError.fail(Status.badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`))
  }
  return webhookReview.ask(services.webhooks, webhook, admissionRequest.make(randomUUID(), subject, kind)).pipe(
    Effect.catchAll((problem) =>
      webhook.failurePolicy === "Ignore"
        ? Effect.as(Effect.logWarning(`a webhook that may fail did: ${problem}`), nothing)
        : ApiError.fail(Status.internalError(problem))),
    Effect.tap((review) => {
      for (const text of review.warnings) warn?.(text)
      return review.refusal === undefined ? Effect.void : ApiError.fail(review.refusal)
    })
  )
}

/** Metadata that no webhook changes. */
const ownedFields = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "managedFields"] as const

const keepOwned = (next: KubeObject.KubeObject, before: KubeObject.KubeObject): KubeObject.KubeObject => {
  const metadata: Record<string, unknown> = { ...next.metadata }
  for (const field of ownedFields) {
    if (before.metadata[field] === undefined) delete metadata[field]
    else metadata[field] = before.metadata[field]
  }
  return { ...next, metadata }
}

/** A webhook may change no more than the client it acts for: not the status through the main resource, for one. */
const withinRights = ({ kind, old, operation, subresource }: Attributes, next: KubeObject.KubeObject, now: number): KubeObject.KubeObject => {
  if (operation === "CREATE") return kind.prepareForCreate(next, now)
  if (old === undefined) return next
  if (subresource === undefined) return kind.prepareForUpdate(next, old)
  return subresource === "status" ? kind.prepareForStatusUpdate(next, old) : kind.subresourceUpdates?.[subresource]?.prepare(next, old) ?? next
}

/** The object as a webhook wants it, with the defaults for what it added. */
const patched = (
  { now }: Services,
  object: KubeObject.KubeObject,
  patch: unknown,
  attributes: Attributes,
  kind: Kind.Kind
): Effect.Effect<KubeObject.KubeObject, Refusal> => {
  const own = attributes.kind
  return JsonPatch.parse(patch).pipe(
    Either.flatMap((operations) => JsonPatch.apply(admissionRequest.inVersion(own, kind)(object), operations)),
    Either.mapLeft(({ message }) => Status.internalError(message)),
    Either.flatMap((value) => Either.mapLeft(ObjectCodec.decode(kind, value), ({ message }) => Status.internalError(message ?? ""))),
    Either.map(({ object: decoded }) => keepOwned(withinRights(attributes, own.defaults(admissionRequest.inVersion(kind, own)(decoded)), now()), object)),
    Either.mapLeft(ApiError.make)
  )
}

/** One round of webhooks; `called` gives for each that was asked the object it left. */
const round = (
  services: Services,
  webhooks: ReadonlyArray<Webhook>,
  object: KubeObject.KubeObject,
  attributes: Attributes,
  view: ClusterView,
  called: Map<Webhook, KubeObject.KubeObject>
): Effect.Effect<KubeObject.KubeObject, Refusal> =>
  Effect.reduce(webhooks, object, (current, webhook) =>
    Effect.gen(function*() {
      const subject = { attributes, object: current }
      const kind = yield* Either.mapLeft(wanted(services, webhook, subject, view), ApiError.make)
      if (kind === undefined) return current
      const { patch } = yield* ask(services, webhook, subject, kind)
      const next = patch === undefined ? current : yield* patched(services, current, patch, attributes, kind)
      called.set(webhook, next)
      return next
    }))

const mutate = (services: Services): NonNullable<Plugin["mutate"]> => (object, attributes, view) => {
  const webhooks = match.isExempt(attributes) ? [] : webhooksOf(view, Kinds.mutatingWebhookConfiguration)
  if (webhooks.length === 0) return Effect.succeed(object)
  const called = new Map<Webhook, KubeObject.KubeObject>()
  return Effect.flatMap(round(services, webhooks, object, attributes, view, called), (first) => {
    // Whoever wants to hear of what others changed after it is asked once more.
    const again = webhooks.filter((webhook) => {
      const left = called.get(webhook)
      return webhook.reinvocationPolicy === "IfNeeded" && left !== undefined && !equals(left, first)
    })
    return again.length === 0 ? Effect.succeed(first) : round(services, again, first, attributes, view, called)
  })
}

// Webhooks that only look are asked at the same time.
const concurrency = 16

const review = (services: Services): NonNullable<Plugin["review"]> => (object, attributes, view) => {
  if (match.isExempt(attributes)) return Effect.void
  const webhooks = [
    // There is nothing to change about a delete, but it may be refused.
    ...(attributes.operation === "DELETE" ? webhooksOf(view, Kinds.mutatingWebhookConfiguration) : []),
    ...webhooksOf(view, Kinds.validatingWebhookConfiguration)
  ]
  if (webhooks.length === 0) return Effect.void
  const subject = { attributes, object }
  return Effect.forEach(webhooks, (webhook) =>
    Effect.flatMap(Either.mapLeft(wanted(services, webhook, subject, view), ApiError.make), (kind) =>
      kind === undefined ? Effect.void : ask(services, webhook, subject, kind)), { concurrency, discard: true })
}

/** Mutating webhooks, one after the other, and validating ones once the object is valid. @category constructors */
export const make = (services: Services): Plugin => ({
  name: "Webhooks",
  mutate: mutate(services),
  review: review(services)
})
