/**
 * Sessions that a node serves elsewhere than in its agent, so that they outlive it: the agent is told that redirects are followed, and answers
 * with one to another port of the same node.
 *
 * An agent is trusted with its own node alone. So nothing is followed but to the address that was asked already, by TLS, to whoever proves to
 * be the same node, and only once.
 */
import type { OutgoingHttpHeaders } from "node:http"

/** What tells an agent that its redirect will be followed. Other kubelets do not know it, and serve the session themselves. */
const header = "x-reddwarf-session-hand-over"

/** Where a session host takes sessions. */
const path = "/session"

/** The headers of an upgrade request that may be handed over. */
export const announced = (headers: OutgoingHttpHeaders): OutgoingHttpHeaders => ({ ...headers, [header]: "1" })

/** Whether the request asks for another protocol: only such ones are handed over. */
export const isUpgrade = (headers: OutgoingHttpHeaders): boolean => headers["upgrade"] !== undefined

/** As URLs write hosts, so that two ways to write one address are the same. */
const hostOf = (address: string): string | undefined => {
  const url = `https://${address.includes(":") ? `[${address}]` : address}/`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

/** A place at the node that was asked; undefined for every other one. */
export const placeOf = (
  address: string,
  location: string | undefined
): { readonly port: number; readonly path: string } | undefined => {
  if (location === undefined || !URL.canParse(location)) return undefined
  const { hash, hostname, password, pathname, port, protocol, search, username } = new URL(location)
  const isSame = protocol === "https:" && hostname === hostOf(address) && username === "" && password === "" && hash === ""
  return isSame && pathname === path && port !== "" ? { port: Number(port), path: `${pathname}${search}` } : undefined
}
