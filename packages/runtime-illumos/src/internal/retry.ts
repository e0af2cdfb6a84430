import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { HostError } from "../HostError.js"

/** 100 ms, doubling to at most 2 s, for about 30 s altogether. */
const lockSchedule = Schedule.exponential("100 millis").pipe(
  Schedule.either(Schedule.spaced("2 seconds")),
  Schedule.jittered,
  Schedule.intersect(Schedule.elapsed.pipe(Schedule.whileOutput((spent) => Duration.lessThan(spent, "30 seconds"))))
)

/** Again while another zoneadm holds the lock of the zone. */
export const whileLocked = <A>(effect: Effect.Effect<A, HostError>): Effect.Effect<A, HostError> =>
  Effect.retry(effect, { schedule: lockSchedule, while: (error) => error._tag === "ZoneLocked" })

/** 250 ms, doubling to at most 2 s, for about 30 s altogether. */
const busySchedule = Schedule.exponential("250 millis").pipe(
  Schedule.either(Schedule.spaced("2 seconds")),
  Schedule.intersect(Schedule.elapsed.pipe(Schedule.whileOutput((spent) => Duration.lessThan(spent, "30 seconds"))))
)

/** Again while a halting zone still holds the link. */
export const whileLinkBusy = <A>(effect: Effect.Effect<A, HostError>): Effect.Effect<A, HostError> =>
  Effect.retry(effect, { schedule: busySchedule, while: (error) => error._tag === "LinkBusy" })

interface Waiting<A, E> {
  readonly interval: Duration.DurationInput
  readonly timeout: Duration.DurationInput
  readonly onTimeout: (last: A) => E
}

class Pending<A> {
  readonly last: A
  constructor(last: A) {
    this.last = last
  }
}

/** Reads until the value is the wanted one: at once, then at each interval until the time is over. */
export const until = <A, E, E2>(
  read: Effect.Effect<A, E>,
  wanted: (value: A) => boolean,
  options: Waiting<A, E2>
): Effect.Effect<A, E | E2> => {
  const schedule = Schedule.spaced(options.interval).pipe(
    Schedule.intersect(
      Schedule.elapsed.pipe(Schedule.whileOutput((spent) => Duration.lessThan(spent, options.timeout)))
    )
  )
  return read.pipe(
    Effect.flatMap((value): Effect.Effect<A, Pending<A>> =>
      wanted(value) ? Effect.succeed(value) : Effect.fail(new Pending(value))
    ),
    Effect.retry({ schedule, while: (error) => error instanceof Pending }),
    Effect.mapError((error) => error instanceof Pending ? options.onTimeout(error.last) : error)
  )
}
