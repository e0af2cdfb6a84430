/** Tickets for sessions: each is good for one session of one client, once and for seconds. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import type { SessionOperation } from "./SessionOperation.js"

/** Long enough for a client to follow a redirect, on a busy machine too. @category models */
export const lifetime = Duration.seconds(10)

/** @category models */
export interface SessionTickets {
  /** A ticket for this very operation, good for the client with this certificate only. */
  readonly issue: (operation: SessionOperation, holder: string) => Effect.Effect<string>
  /** What the ticket is for. It is used up by that; one that is unknown, used, too old or another client's is good for nothing. */
  readonly redeem: (ticket: string, holder: string) => Effect.Effect<Option.Option<SessionOperation>>
  /** Tickets that may still be used. */
  readonly outstanding: Effect.Effect<number>
}

/**
 * Tickets that live in this process.
 *
 * @category constructors
 */
export const make = (): SessionTickets => {
  const issued = new Map<string, { readonly operation: SessionOperation; readonly holder: string; readonly expiresAt: number }>()
  // In the order they were issued, and all live equally long.
  const expire = (now: number): void => {
    for (const [ticket, { expiresAt }] of issued) {
      if (expiresAt > now) return
      issued.delete(ticket)
    }
  }
  return {
    issue: (operation, holder) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        expire(now)
        const ticket = randomBytes(32).toString("base64url")
        issued.set(ticket, { operation, holder, expiresAt: now + Duration.toMillis(lifetime) })
        return ticket
      }),
    redeem: (ticket, holder) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        expire(now)
        const found = issued.get(ticket)
        // Whoever else comes by it cannot take it away from its holder either.
        if (found === undefined || found.holder !== holder) return Option.none()
        issued.delete(ticket)
        return Option.some(found.operation)
      }),
    outstanding: Effect.map(Clock.currentTimeMillis, (now) => {
      expire(now)
      return issued.size
    })
  }
}
