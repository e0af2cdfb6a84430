/** Ends sessions whose client is gone without a word, or that nobody uses any more. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** What is watched of a session. */
export interface Watched {
  readonly ping: () => void
  /** Grows with every sign of life. */
  readonly received: () => number
  /** Grows with everything of use. */
  readonly carried: () => number
  /** The client is kept from sending, so that its silence means nothing. */
  readonly isPaused: () => boolean
}

/** As long as kubectl waits for its terminal by default. */
export const defaultIdleTimeout: Duration.DurationInput = "4 hours"

const interval = Duration.seconds(30)

// Far longer than a connection is broken for; a client that was stopped from the keyboard may yet go on.
const silence = Duration.toMillis("10 minutes")

/** Ends when the session should. */
export const lost = (watched: Watched, idleTimeout: Duration.DurationInput): Effect.Effect<void> =>
  Effect.gen(function*() {
    const idle = Duration.toMillis(idleTimeout)
    const pause = Duration.min(interval, Duration.millis(Math.max(1, idle / 4)))
    let { carried, received } = { carried: watched.carried(), received: watched.received() }
    let usedAt = yield* Clock.currentTimeMillis
    let heardAt = usedAt
    while (true) {
      yield* Effect.sleep(pause)
      const now = yield* Clock.currentTimeMillis
      if (watched.carried() !== carried) usedAt = now
      if (watched.received() !== received || watched.isPaused()) heardAt = now
      if (now - usedAt >= idle || now - heardAt >= silence) return
      carried = watched.carried()
      received = watched.received()
      watched.ping()
    }
  })
