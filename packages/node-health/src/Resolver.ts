/**
 * Name resolution that needs no thread of the pool and no file: queries to servers that are named, with time limits, and a table of host names
 * that was read before.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Resolver } from "node:dns"
import { isIP, isIPv6, type LookupFunction } from "node:net"

/** A server gave no usable answer. @category errors */
export class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", {
  server: Schema.String,
  /** `SERVFAIL`, `REFUSED`, `TIMEOUT` and so on. */
  code: Schema.String
}) {
  override get message(): string {
    return `name server ${this.server}: ${this.code}; check that it runs and serves this host`
  }
}

const codeOf = (error: NodeJS.ErrnoException): string => (error.code ?? "ETIMEOUT").replace(/^E/, "")

/** Replies that are about the name and show that the server works. */
const aboutTheName: ReadonlySet<string> = new Set(["NOTFOUND", "NODATA"])

/** `127.0.0.1`, `127.0.0.1:5353`, `::1`, `[::1]:5353` in the form that resolvers take. */
const serverOf = (server: string): string => isIPv6(server) ? `[${server}]` : server

/**
 * Whether the server answers a query for the name: any reply about it counts, also that there is no such name.
 *
 * @category constructors
 */
export const ask = (server: string, name: string, timeoutMillis: number): Effect.Effect<void, NoAnswer> =>
  Effect.async<void, NoAnswer>((resume) => {
    const resolver = new Resolver({ timeout: timeoutMillis, tries: 1 })
    try {
      resolver.setServers([serverOf(server)])
    } catch {
      return resume(Effect.fail(new NoAnswer({ server, code: "no address of a server" })))
    }
    resolver.resolve4(name, (error) => {
      const code = error === null ? "" : codeOf(error)
      resume(error === null || aboutTheName.has(code) ? Effect.void : Effect.fail(new NoAnswer({ server, code })))
    })
    return Effect.sync(() => resolver.cancel())
  }).pipe(
    // The library rounds its own limit up, and doubles it.
    Effect.timeoutFail({ duration: timeoutMillis, onTimeout: () => new NoAnswer({ server, code: "TIMEOUT" }) })
  )

/** Addresses of the `nameserver` lines, without duplicates. @category combinators */
export const parseResolvConf = (text: string): ReadonlyArray<string> =>
  [...new Set(text.split("\n").flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? ""
    // An address of one link names the link, which resolvers do not take.
    return isIP(address) === 0 || address.includes("%") ? [] : [address]
  }))]

/** Names and their first address in a hosts file. @category combinators */
export const parseHosts = (text: string): ReadonlyMap<string, string> => {
  const table = new Map<string, string>()
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) if (!table.has(name.toLowerCase())) table.set(name.toLowerCase(), address)
  }
  return table
}

/**
 * A `lookup` for sockets: the table first, then the servers.
 *
 * @category constructors
 */
export const lookup = (servers: () => ReadonlyArray<string>, hosts: ReadonlyMap<string, string>): LookupFunction => (name, options, callback) => {
  const answer = (addresses: ReadonlyArray<string>) => {
    const [first] = addresses
    if (first === undefined) return callback(Object.assign(new Error(`no address of ${name} is known`), { code: "ENOTFOUND" }), "", 0)
    return options.all === true
      ? callback(null, addresses.map((address) => ({ address, family: isIP(address) })))
      : callback(null, first, isIP(first))
  }
  const known = hosts.get(name.toLowerCase()) ?? (name === "localhost" ? "127.0.0.1" : undefined)
  if (known !== undefined) return answer([known])
  const usable = servers()
  if (usable.length === 0) return answer([])
  const resolver = new Resolver({ timeout: 400, tries: 1 })
  try {
    resolver.setServers(usable.map(serverOf))
  } catch {
    return answer([])
  }
  return resolver.resolve4(name, (error, addresses) => {
    if (error === null && addresses.length > 0) return answer(addresses)
    return resolver.resolve6(name, (error, addresses) => answer(error === null ? addresses : []))
  })
}
