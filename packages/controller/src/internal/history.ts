/**
 * The templates that a DaemonSet or StatefulSet had, as ControllerRevisions: a number each, of which the highest is the current one.
 * What a revision holds is a strategic merge patch that brings its template back.
 */
import { type AppsV1, type CoreV1, type Kind, Kinds, type KubeObject, LabelSelector, ObjectCodec, OwnerReference } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as claims from "./claims.js"
import * as templateHash from "./templateHash.js"

type Revision = AppsV1.ControllerRevision
type Failure = ClientError.ClientError

/** What owns revisions. */
export interface Versioned extends KubeObject.KubeObject {
  readonly spec?: { readonly template: CoreV1.PodTemplateSpec; readonly revisionHistoryLimit?: number }
  readonly status?: { readonly collisionCount?: number }
}

export interface Options<A extends Versioned> {
  readonly client: ApiClient.Service
  readonly kind: Kind.Kind<A>
  /** All revisions, with the indexes of `claims`. */
  readonly revisions: Informer.Informer<Revision>
  readonly selectorOf: (owner: A) => LabelSelector.LabelSelector
  /** Label under which a revision carries the end of its own name. */
  readonly hashLabel: string
}

/** All revisions, lowest first; that of the present template; and how many names were taken by others so far. */
export interface Found {
  readonly all: ReadonlyArray<Revision>
  readonly current: Revision
  readonly collisions: number | undefined
}

export interface History<A extends Versioned> {
  /** Takes in and lets go, and numbers or makes the revision of the present template. */
  readonly sync: (owner: A) => Effect.Effect<Found, Failure>
  /** Removes the lowest revisions beyond the limit, except for those in use. */
  readonly truncate: (owner: A, found: Found, inUse: ReadonlySet<string>) => Effect.Effect<void, Failure>
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value)

/** Keys are sorted: kubectl compares texts to say that nothing would change. */
const dataOf = (template: CoreV1.PodTemplateSpec | undefined): unknown =>
  JSON.parse(templateHash.sortedJson({ spec: { template: { ...template, $patch: "replace" } } }))

/** The template that a revision holds; undefined if it holds something else. */
export const templateOf = ({ data, metadata }: Revision): CoreV1.PodTemplateSpec | undefined => {
  const spec = isRecord(data) ? data["spec"] : undefined
  const held = isRecord(spec) ? spec["template"] : undefined
  if (!isRecord(held)) return undefined
  const { $patch: _, ...template } = held
  const decoded = ObjectCodec.decode(Kinds.podTemplate, { apiVersion: "v1", kind: "PodTemplate", metadata: { name: metadata.name }, template })
  return Either.isRight(decoded) ? decoded.right.object.template : undefined
}

const order = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)

const byNumber = (a: Revision, b: Revision): number =>
  order(a.revision, b.revision) || order(a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? "") || order(a.metadata.name ?? "", b.metadata.name ?? "")

/** Names that are tried when they are taken. */
const attempts = 10

export const make = <A extends Versioned>({ client, hashLabel, kind, revisions, selectorOf }: Options<A>): History<A> => {
  const draft = (owner: A, number: number, collisions: number | undefined): ApiClient.Draft<Revision> => {
    const template = owner.spec?.template
    const { annotations, name = "", namespace } = owner.metadata
    const data = dataOf(template)
    const hash = templateHash.of(data, collisions)
    return {
      metadata: {
        name: `${name.slice(0, 223)}-${hash}`,
        ...(namespace === undefined ? {} : { namespace }),
        labels: { ...template?.metadata?.labels, [hashLabel]: hash },
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [OwnerReference.controllerOf(kind, owner)]
      },
      data,
      revision: number
    }
  }

  const create = (owner: A, number: number, text: string, collisions: number | undefined, left: number): Effect.Effect<Omit<Found, "all">, Failure> => {
    const wanted = draft(owner, number, collisions)
    return client.create(Kinds.controllerRevision, wanted).pipe(
      Effect.map((current) => ({ current, collisions })),
      Effect.catchIf((error) => ClientError.isAlreadyExists(error) && left > 0, () =>
        Effect.flatMap(
          client.get(Kinds.controllerRevision, { namespace: owner.metadata.namespace, name: wanted.metadata.name ?? "" }),
          (present): Effect.Effect<Omit<Found, "all">, Failure> =>
            OwnerReference.isControlledBy(present, owner) && templateHash.canonicalJson(present.data) === text
              ? Effect.succeed({ current: present, collisions })
              : create(owner, number, text, (collisions ?? 0) + 1, left - 1)
        ))
    )
  }

  return {
    sync: Effect.fnUntraced(function*(owner): Effect.fn.Return<Found, Failure> {
      const selector = selectorOf(owner)
      const claimed = yield* claims.claim(client, {
        ownerKind: kind,
        owner,
        children: { kind: Kinds.controllerRevision, informer: revisions },
        matches: (revision) => LabelSelector.matches(selector, revision.metadata.labels)
      })
      const all = [...claimed].sort(byNumber)
      const text = templateHash.canonicalJson(dataOf(owner.spec?.template))
      const newest = all.at(-1)
      const same = all.findLast((revision) => templateHash.canonicalJson(revision.data) === text)
      const collisions = owner.status?.collisionCount
      if (same !== undefined && same === newest) return { all, current: same, collisions }
      const number = (newest?.revision ?? 0) + 1
      if (same === undefined) {
        const made = yield* create(owner, number, text, collisions, attempts)
        return { ...made, all: [...all.filter(({ metadata }) => metadata.uid !== made.current.metadata.uid), made.current] }
      }
      // An earlier template came back: its revision becomes the newest.
      const { resourceVersion } = same.metadata
      const current = yield* client.patch(Kinds.controllerRevision, ObjectRef.of(same), { metadata: { resourceVersion }, revision: number })
      return { all: [...all.filter((revision) => revision !== same), current], current, collisions }
    }),
    truncate: (owner, { all, current }, inUse) => {
      const idle = all.filter((revision) => revision !== current && !inUse.has(revision.metadata.name ?? ""))
      const surplus = idle.slice(0, Math.max(0, idle.length - (owner.spec?.revisionHistoryLimit ?? 10)))
      return Effect.forEach(surplus, (revision) =>
        client.delete(Kinds.controllerRevision, ObjectRef.of(revision), { preconditions: { uid: revision.metadata.uid } }).pipe(
          Effect.catchIf(ClientError.isNotFound, () => Effect.void)
        ), { discard: true })
    }
  }
}
