/**
 * Brands as values: what a kind of zone needs in its configuration, from its installer, in its root and at its end. The brands of the
 * illumos distributions are in `ZoneBrands`; a program may register its own beside them or in their place.
 */
import type * as Either from "effect/Either"
import type { ZoneConfigRejected } from "./HostError.js"
import type { RootFile } from "./RootFile.js"
import type { ZoneConfig } from "./ZoneConfig.js"
import type { ZoneSpec } from "./ZoneSpec.js"

export type { RootFile } from "./RootFile.js"

/** A kind of programs, in the words of container images: `linux`/`amd64`. @category models */
export interface Platform {
  readonly os: string
  readonly architecture: string
}

/** How a running zone is known to be of use. @category models */
export type Readiness =
  /** Running is enough. */
  | { readonly kind: "running" }
  /** A service of the zone is online. */
  | { readonly kind: "service"; readonly fmri: string }

/** How a zone ends by itself when it is asked to. @category models */
export type Shutdown =
  /** Its init runs shutdown scripts, or an emulated power button is pressed: worth waiting for. */
  | { readonly kind: "graceful" }
  /** Nothing in it listens: it is halted at once. */
  | { readonly kind: "halt" }

/**
 * One brand.
 *
 * @example
 * ```ts
 * import { type ZoneBrand, ZoneBrands } from "@reddwarf/runtime-illumos"
 *
 * // A brand of one's own that is like `sparse`, with tracing inside.
 * const traced: ZoneBrand.ZoneBrand = {
 *   ...ZoneBrands.sparse,
 *   name: "traced",
 *   base: "sparse",
 *   configure: (spec, config) => ZoneBrands.sparse.configure(spec, { ...config, limitpriv: "default,dtrace_proc,dtrace_user" })
 * }
 * const brands = ZoneBrands.register(ZoneBrands.standard, traced)
 * ```
 *
 * @category models
 */
export interface ZoneBrand {
  /** The name under which it is asked for. */
  readonly name: string
  /** The brand of the host it is a variant of, as `zonecfg set brand=` takes it. Default: its own name. */
  readonly base?: string
  /** What its programs are: `native` illumos processes, `linux` processes, or a whole `machine`. */
  readonly kind: "native" | "linux" | "machine"
  /** Platforms of the images it runs, the best one first. */
  readonly platforms: ReadonlyArray<Platform>
  /** Whether processes can be started in it from the global zone. */
  readonly processes: boolean
  /** The configuration for a spec: `config` holds what every brand has, and is what this adds to. Fails with what the brand cannot do. */
  readonly configure: (spec: ZoneSpec, config: ZoneConfig) => Either.Either<ZoneConfig, ZoneConfigRejected>
  /** Arguments of `zoneadm install`. Fails when the spec lacks what the installer needs. */
  readonly installArguments: (spec: ZoneSpec) => Either.Either<ReadonlyArray<string>, ZoneConfigRejected>
  /** What the root needs between its installation and the first boot. */
  readonly rootFiles: (spec: ZoneSpec) => ReadonlyArray<RootFile>
  readonly ready: Readiness
  readonly shutdown: Shutdown
}
