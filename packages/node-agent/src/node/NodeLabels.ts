/** What a host can do, as labels of its Node: pods and operators select nodes by them. Pure. */
import { HostCapabilities } from "@reddwarf/runtime-illumos"

/** Prefix of the labels that tell capabilities. @category models */
export const prefix = "node.reddwarf.io"

/** Label with all brands of a node joined by dots, because a label value holds no commas. The scheduler reads it. @category models */
export const brandsLabel = "reddwarf.io/zone-brands"

const longest = 63

/** The text as the value of a label: other characters become `_`, what is too long is cut off. */
const valueOf = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9_.-]+/g, "_").slice(0, longest).replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "")

/** As many whole names as one value holds. */
const joined = (brands: ReadonlyArray<string>): string =>
  brands.reduce((text, brand) => {
    const longer = text === "" ? brand : `${text}.${brand}`
    return longer.length <= longest ? longer : text
  }, "")

/**
 * Labels for what the host can do. `brands` are those that pods may ask for: `reddwarf.io/zone-brands` has them all in one value, and each has a
 * label `node.reddwarf.io/brand.<name>: "true"`. A capability that is not known, or not there, has no label.
 *
 * @category constructors
 */
export const of = (capabilities: HostCapabilities.HostCapabilities, brands: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const { distribution, kernelVersion, physicalMemoryCap, virtualization, zonecfgDialect } = capabilities
  const labels: ReadonlyArray<readonly [string, string]> = [
    [brandsLabel, joined(brands)],
    ...brands.map((brand) => [`${prefix}/brand.${brand}`, "true"] as const),
    [`${prefix}/distribution`, valueOf(distribution.toLowerCase())],
    [`${prefix}/kernel-version`, valueOf(kernelVersion)],
    [`${prefix}/zonecfg-dialect`, zonecfgDialect],
    [`${prefix}/physical-memory-cap`, physicalMemoryCap],
    [`${prefix}/virtualization`, virtualization === "none" || virtualization === "unknown" ? "" : virtualization]
  ]
  return Object.fromEntries(labels.filter(([, value]) => value !== ""))
}

/**
 * The brands pods may ask for: those of the settings, else those of the host whose zones can boot, else the default one.
 *
 * @category combinators
 */
export const brandsOf = (
  capabilities: HostCapabilities.HostCapabilities,
  settings: { readonly brands?: ReadonlyArray<string> | undefined; readonly defaultBrand: string }
): ReadonlyArray<string> => settings.brands ?? HostCapabilities.usableBrands(capabilities) ?? [settings.defaultBrand]

/**
 * What to change so that a node has these labels, as a merge patch: `null` removes. A capability that is gone loses its label; labels of others
 * stay.
 *
 * @category combinators
 */
export const changes = (
  present: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>
): Readonly<Record<string, string | null>> => ({
  ...Object.fromEntries(Object.keys(present).filter((key) => key.startsWith(`${prefix}/`) && wanted[key] === undefined).map((key) => [key, null])),
  ...Object.fromEntries(Object.entries(wanted).filter(([key, value]) => present[key] !== value))
})
