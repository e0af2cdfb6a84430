/** The brands of the illumos distributions as profiles, and the registry in which a program finds them. */
import * as Either from "effect/Either"
import { nameFiles, nameservers, refuse, resolverFiles } from "./internal/brandParts.js"
import * as lxRoot from "./internal/lxRoot.js"
import * as machine from "./internal/machineConfig.js"
import type { Platform, ZoneBrand } from "./ZoneBrand.js"
import { toConfig } from "./internal/zoneSpecConfig.js"
import type { ZoneConfigRejected } from "./HostError.js"
import type { AttrResource } from "./ZoneConfig.js"
import type * as ZoneConfig from "./ZoneConfig.js"
import type { ZoneSpec } from "./ZoneSpec.js"

/** Profiles by name. @category models */
export type Registry = ReadonlyMap<string, ZoneBrand>

const illumos: ReadonlyArray<Platform> = [{ os: "illumos", architecture: "amd64" }, { os: "solaris", architecture: "amd64" }]
const linux: ReadonlyArray<Platform> = [{ os: "linux", architecture: "amd64" }]

/** The milestone before which users and name services of a native zone are not there. */
const milestone = "svc:/milestone/single-user:default"

const native = (name: string): ZoneBrand => ({
  name,
  kind: "native",
  platforms: illumos,
  processes: true,
  configure: (_spec, config) => Either.right(config),
  installArguments: () => Either.right([]),
  // nsswitch.conf of a fresh zone knows files alone.
  rootFiles: (spec) => [
    ...(spec.dns === undefined ? [] : [...resolverFiles(spec), { path: "/etc/nsswitch.conf", content: nsswitch, mode: 0o644 }]),
    ...nameFiles(spec, "/etc/nodename")
  ],
  ready: { kind: "service", fmri: milestone },
  shutdown: { kind: "graceful" }
})

const nsswitch = `passwd: files
group: files
hosts: files dns
ipnodes: files dns
networks: files
protocols: files
rpc: files
ethers: files
netmasks: files
bootparams: files
publickey: files
netgroup: files
automount: files
aliases: files
services: files
printers: user files
project: files
`

/** Own copy of the packages, which may differ from those of the global zone; takes minutes to install. @category constructors */
export const ipkg: ZoneBrand = native("ipkg")

/** Own copy of the packages, in the versions of the global zone; takes minutes to install. @category constructors */
export const lipkg: ZoneBrand = native("lipkg")

/** Programs of the global zone, read-only; a few MiB, installed in seconds. OmniOS. @category constructors */
export const sparse: ZoneBrand = native("sparse")

/** As `sparse`, with pkgsrc in `/opt/local`. OmniOS. @category constructors */
export const pkgsrc: ZoneBrand = native("pkgsrc")

const fromImage = (brand: ZoneBrand): ZoneBrand => ({
  ...brand,
  installArguments: (spec) =>
    spec.image === undefined
      ? refuse(spec, "it is installed from an image: name a ZFS snapshot, a file system or an archive")
      : Either.right(["-s", spec.image])
})

/** A foreign illumos distribution, from its image. OmniOS. @category constructors */
export const illumosImage: ZoneBrand = fromImage(native("illumos"))

/** Native zones of SmartOS. Their images are put in place by that system's own tools. @category constructors */
export const joyent: ZoneBrand = native("joyent")

/** As `joyent`, with the programs of the global zone and nothing else. @category constructors */
export const joyentMinimal: ZoneBrand = { ...native("joyent-minimal"), ready: { kind: "running" } }

const text = (name: string, value: string): AttrResource => ({ name, type: "string", value })

/** Linux programs on the illumos kernel. OmniOS and SmartOS. @category constructors */
export const lx: ZoneBrand = fromImage({
  name: "lx",
  kind: "linux",
  platforms: linux,
  processes: true,
  configure: (spec, config) => {
    if (config.hostid !== undefined) return refuse(spec, "it does not emulate a hostid")
    if (spec.kernelVersion !== undefined && !/^(?:[2-9]|[1-9]\d+)(?:\.\d+){1,2}$/.test(spec.kernelVersion)) {
      return refuse(spec, `${JSON.stringify(spec.kernelVersion)} is no Linux release such as 5.10.0`)
    }
    const [domain] = spec.dns?.searches ?? []
    return Either.right({
      ...config,
      attr: [
        ...config.attr,
        ...(spec.kernelVersion === undefined ? [] : [text("kernel-version", spec.kernelVersion)]),
        // The brand writes them into /etc/resolv.conf at each boot, over whatever the image has.
        ...(spec.dns === undefined || nameservers(spec.dns).length === 0 ? [] : [text("resolvers", nameservers(spec.dns).join(","))]),
        ...(domain === undefined ? [] : [text("dns-domain", domain)])
      ]
    })
  },
  installArguments: () => Either.right([]),
  rootFiles: lxRoot.files,
  // The services of a Linux system are its own affair; what runs in the zone has probes.
  ready: { kind: "running" },
  shutdown: { kind: "graceful" }
})

/** A virtual machine. Needs hardware virtualisation. @category constructors */
export const bhyve: ZoneBrand = {
  name: "bhyve",
  kind: "machine",
  platforms: [...linux, ...illumos, { os: "windows", architecture: "amd64" }, { os: "freebsd", architecture: "amd64" }],
  processes: false,
  configure: machine.configure,
  installArguments: () => Either.right([]),
  rootFiles: () => [],
  ready: { kind: "running" },
  // An ACPI shutdown, which a guest may ignore.
  shutdown: { kind: "graceful" }
}

/**
 * The registry with these brands; of several with one name the last one holds.
 *
 * @category constructors
 */
export const registry = (brands: Iterable<ZoneBrand>): Registry => new Map([...brands].map((brand) => [brand.name, brand]))

/**
 * The registry with one more brand, in place of the one of its name.
 *
 * @category combinators
 */
export const register = (brands: Registry, brand: ZoneBrand): Registry => new Map([...brands, [brand.name, brand]])

/** Every brand of this module. @category constructors */
export const standard: Registry = registry([sparse, pkgsrc, lipkg, ipkg, illumosImage, lx, joyent, joyentMinimal, bhyve])

/**
 * The profile of a brand. One that is not registered counts as native, without anything particular.
 *
 * @category combinators
 */
export const profileOf = (brands: Registry, name: string): ZoneBrand =>
  brands.get(name) ?? { ...native(name), rootFiles: () => [], ready: { kind: "running" } }

/**
 * The zone configuration that a spec stands for, by the profile of its brand: what `ZoneRuntime` gives to zonecfg. Fails with the first thing
 * that the brand cannot do, or that zonecfg cannot store.
 *
 * @category combinators
 */
export const configurationOf = (
  brands: Registry,
  spec: ZoneSpec,
  dialect: ZoneConfig.Dialect = "omnios"
): Either.Either<ZoneConfig.ZoneConfig, ZoneConfigRejected> => toConfig(profileOf(brands, spec.brand), spec, dialect)
