/** Requests as webhooks and policies see them. */
import { type AdmissionV1, Kind, type KindRegistry, Kinds, type KubeObject } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes } from "../admission/Admission.js"
import type { Subject } from "./admissionMatch.js"
import type { WebhookClient } from "./webhookClient.js"
import { convert } from "./webhookConversion.js"

type Version = Pick<Kind.Kind, "group" | "kind" | "version">

const gvk = ({ group, kind, version }: Version) => ({ group, version, kind })
const gvr = ({ group, plural, version }: Kind.Kind) => ({ group, version, resource: plural })

/** What the body of a request holds: a subresource may have a kind of its own. */
const bodyOf = (kind: Kind.Kind, subresource: string | undefined): Version => {
  const sub = kind.subresources.find(({ name }) => name === subresource)
  return sub === undefined || sub.kind === kind.kind
    ? kind
    : { group: sub.group ?? kind.group, version: sub.version ?? kind.version, kind: sub.kind }
}

/** Other served versions of the objects of a kind. */
export const equivalentsOf = (registry: KindRegistry.Registry, kind: Kind.Kind): ReadonlyArray<Kind.Kind> => {
  const stored = Kind.storedKind(kind)
  return registry.kinds.filter((other) => {
    if (other === kind || other.plural !== kind.plural) return false
    const its = Kind.storedKind(other)
    return its.group === stored.group && its.version === stored.version && its.kind === stored.kind
  })
}

/** An object of one version in another, as the server itself converts it. */
const inVersion = (from: Kind.Kind, to: Kind.Kind) => (object: KubeObject.KubeObject): KubeObject.KubeObject => {
  if (from === to) return object
  const stored = from.storage === undefined ? object : from.storage.toStored(object)
  return to.storage === undefined ? stored : to.storage.fromStored(stored)
}

type Found = KubeObject.KubeObject | undefined

/** Objects of one version in another, if need be by the webhook of their definition. Fails with what it has to say. */
export const convertedTo = (
  webhooks: WebhookClient,
  from: Kind.Kind,
  to: Kind.Kind,
  objects: ReadonlyArray<Found>
): Effect.Effect<ReadonlyArray<Found>, string> => {
  const webhook = from.storage?.webhook
  if (from === to) return Effect.succeed(objects)
  if (webhook === undefined) return Effect.succeed(objects.map((object) => object === undefined ? undefined : inVersion(from, to)(object)))
  const given = objects.filter((object) => object !== undefined)
  return convert(webhooks, webhook, given, Kind.apiVersion(to)).pipe(
    Effect.mapBoth({
      onFailure: ({ message = "" }) => message,
      onSuccess: (converted) => {
        const known = new Map(given.map((object, index) => [object, converted[index]]))
        return objects.map((object) => {
          const found = object === undefined ? undefined : known.get(object)
          return found === undefined ? undefined : to.storage?.fromStored(found) ?? found
        })
      }
    })
  )
}

/** The objects of a request in the version of a kind. */
export interface Shown {
  readonly kind: Kind.Kind
  readonly object: Found
  readonly old: Found
}

/** A subject in the version of `kind`. Fails when its objects cannot be converted. */
export const shownAs = (webhooks: WebhookClient, { attributes, object }: Subject, kind: Kind.Kind): Effect.Effect<Shown, string> => {
  // What a subresource is sent may be no object of the kind at all; it has one version only.
  if (kind === attributes.kind || bodyOf(attributes.kind, attributes.subresource) !== attributes.kind) {
    return Effect.succeed({ kind, object, old: attributes.old })
  }
  return Effect.map(convertedTo(webhooks, attributes.kind, kind, [object, attributes.old]), ([shown, old]) => ({ kind, object: shown, old }))
}

const optionsOf = (operation: string, dryRun: boolean) => ({
  kind: operation === "CREATE" ? "CreateOptions" : operation === "DELETE" ? "DeleteOptions" : "UpdateOptions",
  apiVersion: "meta.k8s.io/v1",
  ...(dryRun ? { dryRun: ["All"] } : {})
})

/** The request about objects in the version in which they are shown. */
export const make = (uid: string, attributes: Attributes, shown: Shown): AdmissionV1.AdmissionRequest => {
  const { dryRun, kind, name, operation, subresource, user } = attributes
  // A Namespace lies in itself.
  const namespace = kind === Kinds.namespace && name !== "" ? name : attributes.namespace
  return {
    uid,
    kind: gvk(bodyOf(shown.kind, subresource)),
    resource: gvr(shown.kind),
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: gvk(bodyOf(kind, subresource)),
    requestResource: gvr(kind),
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra })
    },
    object: shown.object ?? null,
    oldObject: shown.old ?? null,
    dryRun,
    // What is sent to connect says how; there are no options besides.
    ...(operation === "CONNECT" ? {} : { options: optionsOf(operation, dryRun) })
  }
}
