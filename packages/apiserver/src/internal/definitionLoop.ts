/** Settles definitions: accepts their names, establishes them, and clears away the objects of one that is deleted. */
import { CustomResourceDefinitionKind, CustomResourceKind, DefinitionCheck, Naming } from "@reddwarf/api-extensions"
import { type ApiextensionsV1, type Kind, Kinds } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { deleteNamed } from "../handlers/Delete.js"
import { plainJson } from "../Negotiation.js"
import { loopback } from "../authentication/UserInfo.js"
import { type ApiContext, objectOf, type ResourceRequest } from "./apiContext.js"
import * as commit from "./commit.js"
import { definitions, prefix } from "./customKinds.js"
import { keyOf, prefixOf } from "./keys.js"

type Definition = ApiextensionsV1.CustomResourceDefinition

const kind = Kinds.customResourceDefinition

/** Writes a definition as it should be; someone who was faster makes this step come again. False: it has to be tried again. */
const write = (context: ApiContext, next: Definition): Effect.Effect<boolean> => {
  const key = keyOf(kind, undefined, next.metadata.name ?? "")
  const revision = Number(next.metadata.resourceVersion)
  const written = commit.isReleased(next)
    ? commit.remove(context, kind, key, revision, next)
    : commit.update(context, kind, key, revision, next)
  return written.pipe(
    Effect.as(true),
    Effect.catchAll((failure) =>
      failure._tag === "Raced"
        ? Effect.succeed(true)
        : Effect.as(Effect.logWarning(`the definition ${next.metadata.name ?? ""} could not be written: ${failure.status.message ?? ""}`), false))
  )
}

const withTerminating = (definition: Definition, status: string, reason: string, message: string, now: number): Definition => ({
  ...definition,
  status: {
    ...definition.status,
    conditions: Naming.withCondition(definition.status?.conditions ?? [], { type: "Terminating", status, reason, message }, now)
  }
})

const withoutFinalizer = (definition: Definition): Definition => {
  const { finalizers = [], ...metadata } = definition.metadata
  const rest = finalizers.filter((name) => name !== CustomResourceDefinitionKind.cleanupFinalizer)
  return { ...definition, metadata: rest.length === 0 ? metadata : { ...metadata, finalizers: rest } }
}

const callFor = (context: ApiContext, served: Kind.Kind, namespace: string | undefined): ResourceRequest => ({
  // Of these objects only their metadata matters, so that they go also when nobody is there to convert them. Nor is anybody asked about
  // them: who could refuse may be gone already.
  context: { ...context, plugins: [] },
  request: { method: "DELETE", url: "/", headers: {}, body: Effect.succeed(new Uint8Array(0)), user: loopback },
  user: loopback,
  info: {
    method: "DELETE",
    path: "/",
    query: new URLSearchParams(),
    isResource: true,
    verb: "delete",
    group: served.group,
    version: served.version,
    namespace,
    resource: served.plural,
    name: undefined,
    subresource: undefined,
    rest: []
  },
  kind: served,
  accepted: plainJson,
  onSettled: () => {},
  warn: () => {}
})

const background = {
  gracePeriodSeconds: undefined,
  propagation: "Background" as const,
  uid: undefined,
  resourceVersion: undefined,
  dryRun: false
}

/** A kind under which the objects of a definition can be reached, also when none of its versions is served any more. */
const kindOf = (context: ApiContext, definition: Definition): Kind.Kind | undefined => {
  const { group, names, versions } = definition.spec
  const isOwn = context.registry.kinds.some((known) => known.custom === undefined && known.group === group && known.plural === names.plural)
  // Objects of a kind of the server itself did not come by this definition.
  if (isOwn) return undefined
  const served = versions.map(({ name }) => context.registry.byResource(group, name, names.plural)).find((found) => found !== undefined)
  return served ?? CustomResourceKind.make({
    ...definition,
    spec: { ...definition.spec, versions: versions.map((version) => ({ ...version, served: version.storage })) }
  })[0]
}

const clear = (context: ApiContext, definition: Definition): Effect.Effect<number> => {
  const { names } = definition.spec
  const served = kindOf(context, definition)
  if (served === undefined) return Effect.succeed(0)
  const remaining = () => context.cache.list(prefixOf(served, undefined))
  return Effect.forEach(remaining(), (entry) => {
    const { deletionTimestamp, name = "", namespace } = objectOf(entry).metadata
    if (deletionTimestamp !== undefined) return Effect.void
    return deleteNamed(callFor(context, served, namespace), name, background).pipe(
      Effect.catchAll((status) => Effect.logDebug(`${names.plural} ${name} is not deleted yet: ${status.message ?? ""}`)),
      Effect.asVoid
    )
  }, { concurrency: 32, discard: true }).pipe(Effect.map(() => remaining().length))
}

/** Moves the deletion of a definition on. Its objects first, then the definition. */
const finish = (context: ApiContext, definition: Definition): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const now = context.now()
    if (definition.metadata.finalizers?.includes(CustomResourceDefinitionKind.cleanupFinalizer) !== true) return Effect.succeed(true)
    if (!DefinitionCheck.isTrue(definition, "Established")) {
      return write(context, withoutFinalizer(withTerminating(definition, "False", "NeverEstablished", "resource was never established", now)))
    }
    if (!DefinitionCheck.isTrue(definition, "Terminating")) {
      const text = "CustomResource deletion is in progress"
      // This write brings the definition here again.
      return write(context, withTerminating(definition, "True", "InstanceDeletionInProgress", text, now))
    }
    return Effect.flatMap(clear(context, definition), (left) =>
      left > 0
        ? Effect.succeed(true)
        : write(
          context,
          withoutFinalizer(withTerminating(definition, "False", "InstanceDeletionCompleted", "removed all instances", context.now()))
        ))
  })

/** One step of a definition; undefined when there is none to take. */
const settle = (context: ApiContext, definition: Definition, all: ReadonlyArray<Definition>): Effect.Effect<boolean> | undefined => {
  if (definition.metadata.deletionTimestamp !== undefined) return finish(context, definition)
  const others = all.filter((other) => other.spec.group === definition.spec.group && other.metadata.uid !== definition.metadata.uid)
  const next = Naming.settle(definition, others, context.now())
  return next === definition ? undefined : write(context, next)
}

/** One look at every definition: the state decides, not what happened. True when another look is needed although nothing changes. */
const pass = (context: ApiContext): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    let all = definitions(context.cache)
    let failed = false
    // One after the other, so that of two that want a name the older one gets it.
    for (const { metadata } of all) {
      const current = all.find((one) => one.metadata.uid === metadata.uid)
      const step = current === undefined ? undefined : settle(context, current, all)
      if (step === undefined) continue
      if (!(yield* step)) failed = true
      all = definitions(context.cache)
    }
    return failed || all.some((one) => one.metadata.deletionTimestamp !== undefined)
  })

/** Objects with finalizers of their own take their time; they are looked at again this often. */
const recheck = "500 millis"

/** Runs as long as the scope, after every change of a definition. */
export const run = (context: ApiContext): Effect.Effect<void, never, Scope.Scope> => {
  const follow = Effect.scoped(Effect.gen(function*() {
    const watcher = yield* context.cache.watch({ prefix, initial: true })
    let waiting = false
    while (true) {
      const events = watcher.takeAll
      yield* waiting ? Effect.timeoutOption(events, recheck) : events
      waiting = yield* pass(context)
    }
  }))
  return follow.pipe(
    // Too slow to follow: everything is looked at again from the start.
    Effect.catchAll(() => Effect.void),
    Effect.catchAllDefect((defect) => Effect.zipRight(Effect.logError("a look at the definitions failed", defect), Effect.sleep("1 second"))),
    Effect.forever,
    Effect.forkScoped,
    Effect.asVoid
  )
}
