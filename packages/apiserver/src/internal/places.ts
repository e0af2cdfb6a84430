/**
 * A bounded number of places that clients share fairly. A client may hold up to three times what is free: alone it gets three
 * quarters, and the more clients crowd in, the less each of them may hold, so a newcomer finds a place as long as the crowd is
 * not all there is. Plain functions: every request passes here.
 */
import { anonymous, type UserInfo } from "../authentication/UserInfo.js"

/** Whom a request counts for: its user, or its address when that is nobody. */
export const clientOf = (user: UserInfo | undefined, address: string | undefined): string =>
  user === undefined || user.name === anonymous.name ? `address ${address ?? ""}` : user.name

/** Places of one kind. */
export interface Places {
  /** Takes a place for a client; false: there is none for it now. */
  readonly enter: (client: string) => boolean
  /** Gives a place back. Must follow a successful `enter` of the same client, once. */
  readonly leave: (client: string) => void
  /** How many are taken. */
  readonly taken: () => number
}

const share = 3

/** `total` places, of which one client never holds more than `most`. */
export const make = (total: number, most: number): Places => {
  const held = new Map<string, number>()
  let taken = 0
  return {
    enter: (client) => {
      const own = held.get(client) ?? 0
      if (own >= most || own >= share * (total - taken)) return false
      held.set(client, own + 1)
      taken++
      return true
    },
    leave: (client) => {
      const own = held.get(client)
      if (own === undefined) return
      taken--
      if (own === 1) held.delete(client)
      else held.set(client, own - 1)
    },
    taken: () => taken
  }
}
