/**
 * A scheduler of which several processes may run: the one that holds a Lease places pods, the others wait for it to go. One that loses the lease stops
 * at once, bindings under way included, and becomes a candidate again.
 */
import { type ApiClient, LeaderElection } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Profile from "./Profile.js"
import * as Scheduler from "./Scheduler.js"
import * as Snapshot from "./Snapshot.js"

const idle: Scheduler.Service = {
  depth: Effect.succeed({ active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 }),
  snapshot: Effect.succeed(Snapshot.make([])),
  waiting: Effect.succeed([]),
  explain: () => ({ _tag: "NotReady" })
}

/**
 * Takes part in the election as long as the scope, with a new scheduler each time it leads. What is given shows the scheduler while it leads, and an
 * idle one otherwise. Fails only when two profiles have the same name.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  election: LeaderElection.Options,
  options: Scheduler.Options = {}
): Effect.fn.Return<Scheduler.Service, Profile.InvalidProfile, ApiClient.ApiClient | Scope.Scope> {
  yield* Profile.byName(options.profiles ?? [])
  let current = idle
  const lead = Scheduler.make(options).pipe(
    Effect.orDie,
    Effect.tap((service) => Effect.sync(() => void (current = service))),
    Effect.zipRight(Effect.never),
    Effect.scoped,
    Effect.ensuring(Effect.sync(() => void (current = idle)))
  )
  yield* LeaderElection.run(election)(lead).pipe(
    Effect.catchAll((lost) => Effect.logWarning(lost.message)),
    Effect.repeat(Schedule.spaced("1 second")),
    Effect.forkScoped
  )
  return {
    depth: Effect.suspend(() => current.depth),
    snapshot: Effect.suspend(() => current.snapshot),
    waiting: Effect.suspend(() => current.waiting),
    explain: (key) => current.explain(key)
  }
})

/**
 * A scheduler that takes turns with others.
 *
 * @category layers
 */
export const layer = (
  election: LeaderElection.Options,
  options: Scheduler.Options = {}
): Layer.Layer<Scheduler.Scheduler, Profile.InvalidProfile, ApiClient.ApiClient> => Layer.scoped(Scheduler.Scheduler, make(election, options))
