/** Name resolution in a zone: one value, written as `/etc/resolv.conf` or as attributes of the zone's brand. */
import * as Either from "effect/Either"
import { isIP } from "node:net"
import { NetworkSettingRejected } from "./NetworkError.js"

/** How a zone resolves names. @category models */
export interface ZoneDns {
  /** Addresses; the resolver of illumos and those of Linux use the first three. */
  readonly nameservers: ReadonlyArray<string>
  /** Domains that are tried for names with few dots, in this order. */
  readonly searches?: ReadonlyArray<string> | undefined
  readonly options?: ReadonlyArray<{ readonly name: string; readonly value?: string | undefined }> | undefined
}

/** Most name servers a resolver looks at. @category models */
export const mostNameservers = 3

/** Longest value of an attribute of a zone, in bytes. */
const longestAttribute = 255

const domain = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/

const problemOf = (dns: ZoneDns): string | undefined => {
  const server = dns.nameservers.find((address) => isIP(address) === 0)
  if (server !== undefined) return `${JSON.stringify(server)} is not an address`
  if (dns.nameservers.length > mostNameservers) return `more than ${mostNameservers} name servers`
  const search = (dns.searches ?? []).find((name) => name !== "." && !domain.test(name))
  if (search !== undefined) return `${JSON.stringify(search)} is not a domain`
  const option = (dns.options ?? []).find(({ name, value }) => !/^[a-z0-9-]+$/.test(name) || (value !== undefined && !/^[A-Za-z0-9._-]+$/.test(value)))
  return option === undefined ? undefined : `${JSON.stringify(option.name)} is not a resolver option`
}

const checked = (dns: ZoneDns, problem: string | undefined = problemOf(dns)): Either.Either<ZoneDns, NetworkSettingRejected> =>
  problem === undefined
    ? Either.right(dns)
    : Either.left(new NetworkSettingRejected({ operation: "write the name resolution of", object: "a zone", detail: problem }))

/** The content of `/etc/resolv.conf`. @category combinators */
export const resolvConf = (dns: ZoneDns): Either.Either<string, NetworkSettingRejected> =>
  Either.map(checked(dns), ({ nameservers, options = [], searches = [] }) =>
    [
      ...nameservers.map((address) => `nameserver ${address}`),
      ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
      ...(options.length === 0 ? [] : [`options ${options.map(({ name, value }) => value === undefined ? name : `${name}:${value}`).join(" ")}`])
    ].map((line) => `${line}\n`).join(""))

/**
 * The attributes by which the brands lx and bhyve of OmniOS learn of it (`resolvers`, `dns-domain`). They hold one domain and no
 * options; the rest is lost in the root of such a zone, which the brand writes at each boot. Roots beside it can have all of it as a file.
 *
 * @category combinators
 */
export const attributes = (
  dns: ZoneDns
): Either.Either<ReadonlyArray<{ readonly name: string; readonly value: string }>, NetworkSettingRejected> =>
  Either.flatMap(checked(dns), ({ nameservers, searches = [] }) => {
    const found = [
      ...(nameservers.length === 0 ? [] : [{ name: "resolvers", value: nameservers.join(",") }]),
      ...(searches[0] === undefined ? [] : [{ name: "dns-domain", value: searches[0] }])
    ]
    const long = found.find(({ value }) => Buffer.byteLength(value) > longestAttribute)
    return long === undefined
      ? Either.right(found)
      : Either.left(
        new NetworkSettingRejected({
          operation: "write the name resolution of",
          object: "a zone",
          detail: `the attribute ${long.name} has more than ${longestAttribute} bytes`
        })
      )
  })
