/** How registries are reached: addresses, certificates, mirrors, limits. */
import type * as Duration from "effect/Duration"
import * as ImageReference from "./ImageReference.js"

/** Certificates of one host. PEM texts. @category models */
export interface TlsOptions {
  /** Authorities that may have signed the host's certificate, besides the system's. */
  readonly ca?: string
  /** Accept any certificate. */
  readonly skipTlsVerify?: boolean
  /** Certificate and key this client shows. */
  readonly cert?: string
  readonly key?: string
}

/** One registry. @category models */
export interface HostOptions extends TlsOptions {
  /** Its protocol: `http` for hosts of the loopback interface for which nothing is said, else `https`. */
  readonly scheme?: "http" | "https"
  /** Where its API is, if not at the host of the name: `host:port`. */
  readonly address?: string
  /**
   * Places that are asked first, in this order, as `host:port` with an optional path that is put before the repository. How a mirror is
   * reached is said under its own host. The registry itself is asked last.
   */
  readonly mirrors?: ReadonlyArray<string>
  /** Answers that are read from it at the same time: 6 unless given. */
  readonly concurrency?: number
}

/** @category models */
export interface Options {
  /** By the host of the name, with its port; `*` is for all that are not listed. */
  readonly hosts?: Readonly<Record<string, HostOptions>>
  /** Authorities for all hosts, besides the system's; also for places a registry redirects to. PEM text. */
  readonly ca?: string
  /** Environment variables that name a proxy (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`); none is used unless given. */
  readonly proxy?: Readonly<Record<string, string | undefined>>
  /** Time until an answer begins: 30 seconds unless given. */
  readonly timeout?: Duration.DurationInput
  /** Time between two pieces of an answer: 60 seconds unless given. */
  readonly idleTimeout?: Duration.DurationInput
  /** Attempts of one request, and of one blob without any progress: 5 unless given. */
  readonly attempts?: number
  /** Delay after the first failed attempt; it doubles: 500 milliseconds unless given. */
  readonly retryDelay?: Duration.DurationInput
  /** Longest delay, whatever the registry asks for; it is reported as `TooManyRequests` if it asks for more: 1 minute unless given. */
  readonly maxRetryDelay?: Duration.DurationInput
  /** Largest manifest or index in bytes: 4 MiB unless given. */
  readonly maxManifestBytes?: number
  /** The `User-Agent` header: `reddwarf` unless given. */
  readonly userAgent?: string
}

/** One place where a repository can be asked for. @category models */
export interface Endpoint {
  /** Key of the host in options and credentials. */
  readonly host: string
  /** Protocol, host and port. */
  readonly origin: string
  /** Repository there. */
  readonly repository: string
  /** Registry of the image's name, if this is a mirror of it. */
  readonly mirrorOf?: string
  readonly options: HostOptions
}

/** The API of the default registry is not at the host of its name. */
const wellKnown: Readonly<Record<string, string>> = { [ImageReference.defaultRegistry]: `registry-1.${ImageReference.defaultRegistry}` }

const hostName = (host: string): string => /^\[([^\]]*)\]/.exec(host)?.[1] ?? host.replace(/:\d+$/, "")

/** Whether a host, with or without a port, is this machine. @category combinators */
export const isLoopback = (host: string): boolean => {
  const name = hostName(host)
  return name === "localhost" || name === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

/** What is said about a host. @category combinators */
export const hostOptions = (options: Options, host: string): HostOptions => options.hosts?.[host] ?? options.hosts?.["*"] ?? {}

const originOf = (host: string, options: HostOptions): string => {
  const said = options.scheme !== undefined || options.ca !== undefined || options.skipTlsVerify !== undefined || options.cert !== undefined
  return `${options.scheme ?? (!said && isLoopback(host) ? "http" : "https")}://${options.address ?? wellKnown[host] ?? host}`
}

/** Where to ask for a repository, in order: mirrors, then the registry itself. @category combinators */
export const endpoints = (options: Options, reference: ImageReference.ImageReference): ReadonlyArray<Endpoint> => {
  const { registry, repository } = reference
  const own = hostOptions(options, registry)
  return [
    ...(own.mirrors ?? []).map((mirror): Endpoint => {
      const [host = "", ...path] = mirror.replace(/\/+$/, "").split("/")
      // The entry for all hosts says where their mirrors are, not how those are reached.
      const mirrorOptions = options.hosts?.[host] ?? {}
      return { host, origin: originOf(host, mirrorOptions), repository: [...path, repository].join("/"), mirrorOf: registry, options: mirrorOptions }
    }),
    { host: registry, origin: originOf(registry, own), repository, options: own }
  ]
}
