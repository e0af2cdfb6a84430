import * as Either from "effect/Either"
import { ZoneConfigRejected } from "../HostError.js"
import type { RootFile, ZoneBrand } from "../ZoneBrand.js"
import type { ZoneDns, ZoneSpec } from "../ZoneSpec.js"

/** Why a brand cannot do what a spec asks for. */
export const refuse = (spec: ZoneSpec, detail: string): Either.Either<never, ZoneConfigRejected> =>
  Either.left(
    new ZoneConfigRejected({ operation: "write the configuration of zone", object: spec.zoneName, detail: `brand ${spec.brand}: ${detail}` })
  )

/** Resolvers ask no more servers than these. */
const mostNameservers = 3

/** The servers that are asked. */
export const nameservers = (dns: ZoneDns): ReadonlyArray<string> => dns.nameservers.slice(0, mostNameservers)

/** Contents of `/etc/resolv.conf`. */
export const resolvConf = (dns: ZoneDns): string =>
  [
    ...nameservers(dns).map((address) => `nameserver ${address}`),
    ...((dns.searches ?? []).length === 0 ? [] : [`search ${(dns.searches ?? []).join(" ")}`]),
    ...((dns.options ?? []).length === 0 ? [] : [`options ${(dns.options ?? []).join(" ")}`])
  ].map((line) => `${line}\n`).join("")

/** Name resolution of a zone that keeps it in files. */
export const resolverFiles = (spec: ZoneSpec): ReadonlyArray<RootFile> =>
  spec.dns === undefined ? [] : [{ path: "/etc/resolv.conf", content: resolvConf(spec.dns), mode: 0o644 }]

/** What a zone calls itself, where its system reads that from a file. */
export const nameFiles = (spec: ZoneSpec, path: string): ReadonlyArray<RootFile> =>
  spec.hostname === undefined ? [] : [{ path, content: `${spec.hostname}\n`, mode: 0o644 }]

/** Everything the root of a zone gets before it boots. */
export const allRootFiles = (brand: ZoneBrand, spec: ZoneSpec): ReadonlyArray<RootFile> => [
  ...brand.rootFiles(spec),
  ...(brand.kind === "machine" ? [] : spec.rootFiles ?? [])
]

/** What zonecfg stores in a string attribute. */
export const mostAttributeBytes = 255
