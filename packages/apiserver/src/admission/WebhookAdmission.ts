/** Admission: asks the webhooks that users have configured. */
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
import * as Admission from "./Admission.js"
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
  /** Plugins that look again at what webhooks have changed. Doing so twice must change no more than doing so once. */
  readonly reinvoked: ReadonlyArray<Plugin>
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
  { authorize, registry, webhooks }: Services,
  webhook: Webhook,
  subject: Subject,
  view: ClusterView
): Effect.Effect<admissionRequest.Shown | undefined, Refusal> => {
  const { attributes } = subject
  const equivalents = match.takesEquivalents(webhook) ? admissionRequest.equivalentsOf(registry, attributes.kind) : []
  const kind = match.kindIn(webhook.rules ?? [], attributes, equivalents)
  if (kind === undefined) return Effect.succeed(undefined)
  const selected = match.selected(webhook, subject, view)
  if (Either.isLeft(selected)) return ApiError.fail(selected.left)
  if (!selected.right) return Effect.succeed(undefined)
  const { failurePolicy, matchConditions = [] } = webhook
  const holds = (shown: admissionRequest.Shown): Effect.Effect<admissionRequest.Shown | undefined, Refusal> => {
    if (matchConditions.length === 0) return Effect.succeed(shown)
    const result = expressions.conditionsOf(matchConditions, { attributes, shown, params: undefined }, view, authorize)
    if (Either.isRight(result)) return Effect.succeed(result.right ? shown : undefined)
    return failurePolicy === "Ignore"
      ? Effect.succeed(undefined)
      : ApiError.fail(Status.forbidden(attributes.kind, attributes.name, result.left))
  }
  return admissionRequest.shownAs(webhooks, subject, kind).pipe(
    Effect.mapError((problem) => ApiError.make(Status.internalError(problem))),
    Effect.flatMap(holds)
  )
}

const nothing: webhookReview.Review = { refusal: undefined, patch: undefined, warnings: [] }

/** Asks one webhook; fails with its refusal, or when it does not answer and has to. */
const ask = (
  services: Services,
  webhook: Webhook,
  attributes: Attributes,
  shown: admissionRequest.Shown,
  mutating: boolean
): Effect.Effect<webhookReview.Review, Refusal> => {
  const { dryRun, warn } = attributes
  if (dryRun && !["None", "NoneOnDryRun"].includes(webhook.sideEffects)) {
    return ApiError.fail(Status.badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`))
  }
  return webhookReview.ask(services.webhooks, { ...webhook, mutating }, admissionRequest.make(randomUUID(), attributes, shown)).pipe(
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

const internal = (problem: string): Refusal => ApiError.make(Status.internalError(problem))

/** The object as a webhook wants it, with the defaults for what it added. */
const patched = (
  { now, webhooks }: Services,
  before: KubeObject.KubeObject,
  patch: ReadonlyArray<unknown>,
  attributes: Attributes,
  { kind, object }: admissionRequest.Shown
): Effect.Effect<KubeObject.KubeObject, Refusal> => {
  const own = attributes.kind
  const decoded = JsonPatch.parse(patch).pipe(
    Either.flatMap((operations) => JsonPatch.apply(object, operations)),
    Either.mapLeft(({ message }) => message),
    Either.flatMap((value) => Either.mapLeft(ObjectCodec.decode(kind, value), ({ message = "" }) => message))
  )
  return decoded.pipe(
    Effect.flatMap(({ object: next }) => admissionRequest.convertedTo(webhooks, kind, own, [next])),
    Effect.mapBoth({
      onFailure: internal,
      onSuccess: ([next = before]) => keepOwned(withinRights(attributes, own.defaults(next), now()), before)
    })
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
      const shown = yield* wanted(services, webhook, { attributes, object: current }, view)
      if (shown === undefined) return current
      const { patch } = yield* ask(services, webhook, attributes, shown, true)
      const next = patch === undefined ? current : yield* patched(services, current, patch, attributes, shown)
      called.set(webhook, next)
      return next
    }))

const mutate = (services: Services): NonNullable<Plugin["mutate"]> => (object, attributes, view) => {
  const webhooks = match.isExempt(attributes) ? [] : webhooksOf(view, Kinds.mutatingWebhookConfiguration)
  if (webhooks.length === 0) return Effect.succeed(object)
  return Effect.gen(function*() {
    const called = new Map<Webhook, KubeObject.KubeObject>()
    const first = yield* round(services, webhooks, object, attributes, view, called)
    if (equals(first, object)) return first
    // What was added needs what the server itself adds: a container, for example, its token and its limits.
    const completed = yield* Admission.mutate(services.reinvoked, first, attributes, view)
    // Whoever wants to hear of what others changed after it is asked once more.
    const again = webhooks.filter((webhook) => {
      const left = called.get(webhook)
      return webhook.reinvocationPolicy === "IfNeeded" && left !== undefined && !equals(left, completed)
    })
    return again.length === 0 ? completed : yield* round(services, again, completed, attributes, view, called)
  })
}

/** Asks the mutating webhooks about what has no object that could be changed: a delete. */
const refuseOnly = (services: Services, subject: Subject, view: ClusterView): Effect.Effect<void, Refusal> =>
  Effect.forEach(webhooksOf(view, Kinds.mutatingWebhookConfiguration), (webhook) =>
    Effect.gen(function*() {
      const shown = yield* wanted(services, webhook, subject, view)
      if (shown === undefined) return
      const { patch } = yield* ask(services, webhook, subject.attributes, shown, true)
      if (patch === undefined) return
      const text = `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`
      yield* Effect.fail(internal(text))
    }), { discard: true })

// Webhooks that only look are asked at the same time.
const concurrency = 16

const review = (services: Services): NonNullable<Plugin["review"]> => (object, attributes, view) => {
  if (match.isExempt(attributes)) return Effect.void
  const webhooks = webhooksOf(view, Kinds.validatingWebhookConfiguration)
  const isFixed = attributes.operation === "DELETE" || attributes.operation === "CONNECT"
  if (webhooks.length === 0 && !isFixed) return Effect.void
  const subject = { attributes, object }
  return Effect.gen(function*() {
    if (isFixed) yield* refuseOnly(services, subject, view)
    // Nobody is called before it is clear whom the request concerns.
    const concerned = yield* Effect.forEach(webhooks, (webhook) =>
      Effect.map(wanted(services, webhook, subject, view), (shown) => ({ webhook, shown })))
    yield* Effect.forEach(concerned, ({ shown, webhook }) =>
      shown === undefined ? Effect.void : ask(services, webhook, attributes, shown, false), { concurrency, discard: true })
  })
}

/** Mutating webhooks, one after the other, and validating ones once the object is valid. @category constructors */
export const make = (services: Services): Plugin => ({
  name: "Webhooks",
  mutate: mutate(services),
  review: review(services)
})
