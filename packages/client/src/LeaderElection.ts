/**
 * One leader among several processes, by a Lease that the leader keeps renewing.
 *
 * Others take over when they have seen no renewal for the duration of the lease, measured by their own clock, so the clocks need not
 * agree. A leader that cannot renew is interrupted before that. So at most one of them works at any time, as long as clocks run at the
 * same speed, no process is stopped while it leads, and interrupted work ends within `leaseDuration` less `renewDeadline`.
 */
import { type CoordinationV1, Kinds, Timestamp } from "@reddwarf/api-types"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { ApiClient } from "./ApiClient.js"
import { type ClientError, isNotFound } from "./ClientError.js"
import * as ClientMetrics from "./ClientMetrics.js"

/**
 * The lease could not be renewed in time, or another process has taken it. The work under it was interrupted.
 *
 * @category errors
 */
export class LeadershipLost extends Schema.TaggedError<LeadershipLost>()("LeadershipLost", {
  lease: Schema.String,
  identity: Schema.String,
  /** Who holds the lease now, if known. */
  holder: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return this.holder === undefined
      ? `${this.identity} lost the lease ${this.lease}: it could not be renewed in time; check the connection to the API server`
      : `${this.identity} lost the lease ${this.lease} to ${this.holder}`
  }
}

/**
 * The lease, the candidate and the times they agree on. All candidates for one lease must have the same times.
 *
 * @category models
 */
export interface Options {
  readonly namespace: string
  /** Name of the Lease, shared by all candidates. */
  readonly name: string
  /** This candidate, unique among all: for instance host name and process id. */
  readonly identity: string
  /** Others wait this long after the last renewal: 15 seconds unless given. */
  readonly leaseDuration?: Duration.DurationInput
  /** The leader gives up when it could not renew for this long; shorter than `leaseDuration`: 10 seconds unless given. */
  readonly renewDeadline?: Duration.DurationInput
  /** Time between attempts to get or renew the lease: 2 seconds unless given. */
  readonly retryPeriod?: Duration.DurationInput
}

/** What a candidate knows of the lease: its last version, and when it changed by this process's clock. */
interface Observation {
  readonly lease: CoordinationV1.Lease
  readonly atMillis: number
}

/**
 * Waits until this process leads, then runs `work`. When `work` ends, the lease is given back and the result returned. When the lease is
 * lost, `work` is interrupted and the effect fails with `LeadershipLost`; repeat it to be a candidate again.
 *
 * @category combinators
 */
export const run = (options: Options) => <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | LeadershipLost, R | ApiClient> =>
  Effect.gen(function*() {
    const client = yield* ApiClient
    const clock = yield* Effect.clock
    const { identity, name, namespace } = options
    const leaseMillis = Duration.toMillis(options.leaseDuration ?? "15 seconds")
    const deadlineMillis = Duration.toMillis(options.renewDeadline ?? "10 seconds")
    const retryMillis = Duration.toMillis(options.retryPeriod ?? "2 seconds")
    const status = Metric.tagged(ClientMetrics.leaderStatus, "name", name)
    let seen: Observation | undefined

    const observe = (lease: CoordinationV1.Lease): Observation => {
      if (seen === undefined || seen.lease.metadata.resourceVersion !== lease.metadata.resourceVersion) {
        seen = { lease, atMillis: clock.unsafeCurrentTimeMillis() }
      }
      return seen
    }

    const holderOf = (lease: CoordinationV1.Lease): string => lease.spec?.holderIdentity ?? ""

    const claim = (lease: CoordinationV1.Lease | undefined): CoordinationV1.LeaseSpec => {
      const now = Timestamp.microsFromMillis(clock.unsafeCurrentTimeMillis())
      const mine = lease !== undefined && holderOf(lease) === identity
      return {
        ...lease?.spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(leaseMillis / 1000),
        acquireTime: mine ? lease.spec?.acquireTime ?? now : now,
        renewTime: now,
        leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (lease === undefined || mine ? 0 : 1)
      }
    }

    /** Gets or renews the lease if that is possible now; gives whether this process holds it. */
    const attempt: Effect.Effect<boolean, ClientError> = Effect.gen(function*() {
      const found = yield* client.get(Kinds.lease, { namespace, name }).pipe(Effect.catchIf(isNotFound, () => Effect.succeed(undefined)))
      if (found === undefined) {
        observe(yield* client.create(Kinds.lease, { metadata: { namespace, name }, spec: claim(undefined) }))
        return true
      }
      const { atMillis, lease } = observe(found)
      const holder = holderOf(lease)
      const heldMillis = (lease.spec?.leaseDurationSeconds ?? leaseMillis / 1000) * 1000
      if (holder !== "" && holder !== identity && clock.unsafeCurrentTimeMillis() < atMillis + heldMillis) return false
      // The resource version makes this a compare-and-set: of two candidates one gets a conflict.
      observe(yield* client.update(Kinds.lease, { ...lease, spec: claim(lease) }))
      return true
    })

    /**
     * One attempt that ends by `deadline`. Gives the time from which on the lease counts as held: the beginning of the attempt, for
     * others may have seen the renewal long before its answer arrived here. Undefined if it is not held.
     */
    const tryUntil = (deadline: number): Effect.Effect<number | undefined> =>
      Effect.suspend(() => {
        const startedAt = clock.unsafeCurrentTimeMillis()
        return attempt.pipe(
          Effect.map((holds) => (holds ? startedAt : undefined)),
          Effect.timeoutTo({ duration: Math.max(0, deadline - startedAt), onTimeout: () => undefined, onSuccess: (since) => since }),
          Effect.catchAll((error) => Effect.as(Effect.logDebug("lease attempt failed", error), undefined))
        )
      })

    const campaign: Effect.Effect<number> = Effect.suspend(() => tryUntil(clock.unsafeCurrentTimeMillis() + deadlineMillis)).pipe(
      Effect.flatMap((since) =>
        since === undefined
          ? Effect.flatMap(Random.nextRange(1, 2.2), (factor) => Effect.delay(campaign, retryMillis * factor))
          : Effect.succeed(since)
      )
    )

    /** Renews until it fails for too long. */
    const keep = (heldSince: number): Effect.Effect<never, LeadershipLost> =>
      Effect.delay(tryUntil(heldSince + deadlineMillis), retryMillis).pipe(
        Effect.flatMap((since) => {
          if (since !== undefined) return keep(since)
          const holder = seen === undefined ? "" : holderOf(seen.lease)
          const taken = holder !== "" && holder !== identity
          return taken || clock.unsafeCurrentTimeMillis() >= heldSince + deadlineMillis
            ? Effect.fail(new LeadershipLost({ lease: `${namespace}/${name}`, identity, ...(taken ? { holder } : {}) }))
            : keep(heldSince)
        })
      )

    const release = Effect.suspend(() => {
      const lease = seen?.lease
      if (lease === undefined || holderOf(lease) !== identity) return Effect.void
      const now = Timestamp.microsFromMillis(clock.unsafeCurrentTimeMillis())
      const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now, acquireTime: now }
      // If it fails, the others wait for the lease to end, as after a crash.
      return client.update(Kinds.lease, { ...lease, spec }).pipe(Effect.timeout(retryMillis), Effect.ignoreLogged)
    })

    const lead = (since: number) =>
      Effect.suspend(() => {
        status.unsafeUpdate(1, [])
        return Effect.zipRight(Effect.logInfo("became leader"), Effect.raceFirst(work, keep(since)))
      }).pipe(Effect.ensuring(Effect.sync(() => status.unsafeUpdate(0, []))))

    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(campaign), (since) => Effect.ensuring(restore(lead(since)), release)))
  }).pipe(Effect.annotateLogs({ lease: `${options.namespace}/${options.name}`, identity: options.identity }))
