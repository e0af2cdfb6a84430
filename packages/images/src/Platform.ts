/**
 * What an image's programs need to run on, and which of the images behind one name to take.
 *
 * A brand decides: an `lx` zone runs Linux programs, a native zone runs illumos programs. Registries know illumos images as
 * `os: illumos`, older ones as `solaris` or `sunos`; an entry annotated with a brand is for that brand only.
 */
import * as Schema from "effect/Schema"

/** The platform of an image, as in indexes and configs. Empty text means: not said. @category schemas */
export const Platform = Schema.Struct({
  os: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" }),
  architecture: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" }),
  variant: Schema.optionalWith(Schema.String, { nullable: true, exact: true }),
  osVersion: Schema.optionalWith(Schema.String, { nullable: true, exact: true }).pipe(Schema.fromKey("os.version")),
  osFeatures: Schema.optionalWith(Schema.Array(Schema.String), { nullable: true, exact: true }).pipe(Schema.fromKey("os.features"))
})

/** @category models */
export type Platform = typeof Platform.Type

/** Acceptable platforms, best first, and the brand they are wanted for. @category models */
export interface Wanted {
  readonly platforms: readonly [Platform, ...ReadonlyArray<Platform>]
  /** Zone brand; entries annotated with it come first, entries annotated with another are out. */
  readonly brand?: string
}

/** Annotation of an index entry or label of a config: the zone brand its programs are for. @category models */
export const brandAnnotation = "reddwarf.io/zone-brand"

const architectures: Readonly<Record<string, string>> = { x86_64: "amd64", "x86-64": "amd64", x64: "amd64", i86pc: "amd64", aarch64: "arm64" }
const illumosNames: ReadonlySet<string> = new Set(["illumos", "solaris", "sunos"])

/** One spelling per platform: `x86_64` is `amd64`, `arm64/v8` is `arm64`, `amd64/v1` is `amd64`. @category combinators */
export const normalise = (platform: Platform): Platform => {
  const { variant, ...rest } = platform
  const os = platform.os.toLowerCase()
  const lower = platform.architecture.toLowerCase()
  const architecture = architectures[lower] ?? lower
  const implied = variant === undefined || variant === "" || (architecture === "amd64" && variant === "v1") || (architecture === "arm64" && variant === "v8")
  return { ...rest, os, architecture, ...(implied ? {} : { variant }) }
}

/** `os/architecture`, with `/variant` and the version of the system where given; unsaid parts as `unknown`. @category combinators */
export const format = (platform: Platform): string =>
  [platform.os || "unknown", platform.architecture || "unknown", ...(platform.variant === undefined ? [] : [platform.variant])].join("/") +
  (platform.osVersion === undefined ? "" : ` (${platform.osVersion})`)

/** Reads `linux/amd64` or `linux/arm64/v8`; undefined if it is neither. @category constructors */
export const parse = (text: string): Platform | undefined => {
  const [os, architecture, variant, ...rest] = text.split("/")
  return os === undefined || architecture === undefined || rest.length > 0 || !/^[a-z0-9]+(?:\/[a-z0-9_-]+){1,2}$/.test(text)
    ? undefined
    : normalise({ os, architecture, ...(variant === undefined ? {} : { variant }) })
}

/** Exactly one platform, without a brand. @category constructors */
export const only = (platform: Platform): Wanted => ({ platforms: [normalise(platform)] })

/**
 * The platforms whose programs a zone of this brand runs on a host of this architecture (`amd64` unless given). Hardware-virtualised
 * brands (`bhyve`, `kvm`) boot a disk, not programs, and accept a Linux image only as the source of one.
 *
 * @category constructors
 */
export const forBrand = (brand: string, architecture = "amd64"): Wanted => {
  const of = (os: string): Platform => normalise({ os, architecture })
  return brand === "lx" || brand === "bhyve" || brand === "kvm"
    ? { brand, platforms: [of("linux")] }
    : { brand, platforms: [of("illumos"), of("solaris"), of("sunos")] }
}

/** The kinds of brand whose programs this platform has: `lx` for Linux, `native` for illumos, undefined for others. @category combinators */
export const brandKind = (platform: Platform): "lx" | "native" | undefined => {
  const { os } = normalise(platform)
  return os === "linux" ? "lx" : illumosNames.has(os) ? "native" : undefined
}

const level = (variant: string | undefined): number => (variant === undefined ? 0 : Number(/^v(\d+)/.exec(variant)?.[1] ?? Number.NaN))

/**
 * How well an image for `offered` runs where `wanted` is: undefined if it does not, else a number that is higher for the better fit.
 * A machine of a variant runs the variants below it; an unsaid variant is the lowest.
 *
 * @category combinators
 */
export const fit = (wanted: Platform, offered: Platform): number | undefined => {
  const want = normalise(wanted)
  const offer = normalise(offered)
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined
  if (offer.variant === want.variant) return 1000
  const offeredLevel = level(offer.variant)
  return offeredLevel < level(want.variant) ? offeredLevel : undefined
}

/** One of several images behind one name. @category models */
export interface Candidate {
  readonly platform?: Platform | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** The candidate that fits best: of the earliest acceptable platform, then of the best fit, then the earliest. @category combinators */
export const select = <C extends Candidate>(wanted: Wanted, candidates: ReadonlyArray<C>): C | undefined => {
  let best: { readonly candidate: C; readonly score: number } | undefined
  for (const candidate of candidates) {
    const brand = candidate.annotations?.[brandAnnotation]
    if (brand !== undefined && wanted.brand !== undefined && brand !== wanted.brand) continue
    const { platform } = candidate
    if (platform === undefined) continue
    for (const [place, acceptable] of wanted.platforms.entries()) {
      const fitness = fit(acceptable, platform)
      if (fitness === undefined) continue
      const score = (brand !== undefined && brand === wanted.brand ? 1e9 : 0) - place * 1e6 + fitness
      if (best === undefined || score > best.score) best = { candidate, score }
    }
  }
  return best?.candidate
}
