/**
 * What the installers of the brands take, as typed options, and as the arguments of `zoneadm install`, `clone`, `attach` and so on.
 * zoneadm glues these arguments together without quoting and gives them to a shell: what a shell would read differently is refused.
 */
import * as Either from "effect/Either"
import { InstallSourceRejected } from "./HostError.js"

/**
 * Where the root of the zone comes from. Without a source, brands that need none make their own.
 *
 * @category models
 */
export type BrandInstall =
  /** `ipkg`, `lipkg`, `sparse`, `pkgsrc`: packages of the host's publishers; an archive or a directory to install from instead. */
  | {
    readonly _tag: "Packages"
    readonly archive?: string
    readonly directory?: string
    /** A system profile (sysidcfg) that answers the questions of the first boot. */
    readonly profile?: string
    /** `name=uri`. */
    readonly publisher?: string
    readonly extraPackages?: ReadonlyArray<string>
  }
  /** `lx`, `illumos`: a ZFS snapshot (`pool/ds@snap`, is cloned), file system, or a file with a send stream or tar archive. */
  | { readonly _tag: "Image"; readonly source: string }
  /** SmartOS `lx`, `joyent`: an imported image by its uuid. */
  | { readonly _tag: "ImageUuid"; readonly image: string; readonly zone: string; readonly quotaGiB?: number }
  /** `omicron1`: archives that are unpacked one over the other. */
  | { readonly _tag: "Layers"; readonly archives: ReadonlyArray<string> }
  /** `bhyve`, `kvm`, `sparse`: nothing to name. */
  | { readonly _tag: "Nothing" }

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * Whether zoneadm passes the argument on as it is.
 *
 * @category combinators
 */
export const isPlain = (argument: string): boolean => plain.test(argument)

const option = (flag: string, value: string | undefined): ReadonlyArray<string> => value === undefined ? [] : [flag, value]

const packages = (install: Extract<BrandInstall, { readonly _tag: "Packages" }>): ReadonlyArray<string> => [
  ...option("-a", install.archive),
  ...option("-d", install.directory),
  ...option("-c", install.profile),
  ...option("-P", install.publisher),
  ...(install.extraPackages ?? []).flatMap((name) => ["-e", name])
]

const words = (install: BrandInstall): ReadonlyArray<string> => {
  if (install._tag === "Packages") return packages(install)
  if (install._tag === "Image") return ["-s", install.source]
  if (install._tag === "ImageUuid") return [...option("-q", install.quotaGiB?.toString()), "-t", install.image, "-U", install.zone]
  return install._tag === "Layers" ? install.archives : []
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const problem = (install: BrandInstall): string | undefined => {
  if (install._tag === "Packages" && install.archive !== undefined && install.directory !== undefined) return "an archive and a directory"
  if (install._tag === "Layers" && (install.archives.length === 0 || install.archives.some((path) => !path.startsWith("/")))) {
    return "no archives, or one without an absolute path"
  }
  if (install._tag === "ImageUuid" && !(uuid.test(install.image) && uuid.test(install.zone))) return "not a uuid"
  const bad = words(install).find((word) => !isPlain(word))
  if (bad !== undefined) return `${JSON.stringify(bad)} has characters a shell would interpret`
  // What looks like an option would be taken for one.
  const values = words(install).filter((word) => !/^-[acdePqstU]$/.test(word))
  return values.some((word) => word.startsWith("-")) ? "a value that begins with a dash" : undefined
}

/**
 * The arguments of the installer, or `InstallSourceRejected`.
 *
 * @category combinators
 */
export const argumentsOf = (zone: string, install: BrandInstall): Either.Either<ReadonlyArray<string>, InstallSourceRejected> => {
  const detail = problem(install)
  return detail === undefined
    ? Either.right(words(install))
    : Either.left(new InstallSourceRejected({ operation: "install zone", object: zone, detail }))
}
